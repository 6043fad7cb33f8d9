import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installerFailure, lineNaming } from './installer-failure.ts'

/** What pip 23.2 printed. */
const PIP = `Looking in indexes: https://pypi.example.org/simple
Processing /opt/pypi/files/six-1.17.0-py2.py3-none-any.whl (from -r /opt/deps/requirements.txt (line 1))
ERROR: Could not find a version that satisfies the requirement numpyy>=1.2 (from versions: none)
ERROR: No matching distribution found for numpyy>=1.2
`.split('\n')
const LONELY =
  "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f7272b983d0>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/six/"
const CONFLICT = `Processing /opt/pypi/files/six-1.17.0-py2.py3-none-any.whl
ERROR: Cannot install six<1.17 and six==1.17.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested six==1.17.0
    The user requested six<1.17

ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/#dealing-with-dependency-conflicts
`.split('\n')

test('R10 what pip does not find is named as it was asked for', () => {
  assert.deepEqual(installerFailure(PIP), {
    message: 'pip: no matching distribution for numpyy>=1.2',
    name: 'numpyy',
  })
  assert.deepEqual(installerFailure(CONFLICT), {
    message: 'pip: these contradict each other: six<1.17 and six==1.17.0',
    name: 'six',
  })
})

test('a package is not blamed alone when an index did not answer', () => {
  assert.equal(
    installerFailure([LONELY, ...PIP])?.message,
    'pip: no matching distribution for numpyy>=1.2; an index did not answer',
  )
})

const OTHERS = {
  'conda: no package numpyy in its channels': [
    'error    libmamba Could not solve for environment specs\nThe following packages are incompatible\n└─ numpyy does not exist (perhaps a typo or a missing channel).',
    'Could not solve for environment specs\nThe following package could not be installed\n└─ numpyy >=1.2 * does not exist (perhaps a typo or a missing channel).',
    'PackagesNotFoundError: The following packages are not available from current channels:\n\n  - numpyy',
    'ResolvePackageNotFound: \n  - conda-forge::numpyy=1.2',
    'Encountered problems while solving:\n  - nothing provides requested numpyy',
  ],
  'uv: no package numpyy in its index': [
    '  × No solution found when resolving dependencies:\n  ╰─▶ Because numpyy was not found in the package registry and your project depends on numpyy, we can conclude that your requirements are unsatisfiable.',
  ],
  'apt: no package numpyy': ['Reading package lists...\nE: Unable to locate package numpyy'],
  'R: no package numpyy': [
    'Warning message:\npackage ‘numpyy’ is not available for this version of R',
    'Error in library(numpyy) : there is no package called ‘numpyy’',
  ],
} as const

for (const [message, logs] of Object.entries(OTHERS)) {
  test(`what other installers do not find is named: ${message}`, () => {
    for (const log of logs) {
      assert.equal(installerFailure(log.split('\n'))?.message, message, log)
    }
  })
}

test('what nobody knows is not explained', () => {
  assert.equal(installerFailure([]), undefined)
  assert.equal(installerFailure(['postBuild: line 3: foo: command not found', '  - numpyy']), undefined)
})

test('the line that asks for a package is found however its name is written', () => {
  const text = '# numpyy\nsix # numpyy\nnumpyy-extra\nNum_Pyy==1\nnum.pyy\n'
  assert.equal(lineNaming(text, 'num-pyy'), 4)
  assert.equal(lineNaming('dependencies:\r\n  - conda-forge::numpyy>=1\r\n', 'numpyy'), 2)
  assert.equal(lineNaming('six\n', 'numpyy'), undefined)
  assert.equal(lineNaming('six\n', ''), undefined)
  assert.equal(lineNaming('libstdc++6\n', 'libstdc++6'), 1)
})
