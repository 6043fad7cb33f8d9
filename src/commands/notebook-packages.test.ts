import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { notebookPackages } from './notebook-packages.ts'
import { testHands } from './recorded-hands.test.ts'

const KEY = `e-${'1'.repeat(24)}`
const DATA = { app: 'churn', environment: KEY, pack: 'pip' }
const LABELS = {
  'io.fairlead.app': 'churn',
  'io.fairlead.slot': '0',
  'io.fairlead.notebook.environment': KEY,
}

function hands(lines: readonly string[], { exitCode = 0, state = 'running' } = {}) {
  const events = [
    { kind: 'line', stream: 'stderr', text: 'a warning' } as const,
    ...lines.map(text => ({ kind: 'line', stream: 'stdout', text }) as const),
  ]
  return testHands([
    ['GET docker /containers/json', { json: [{ Id: 'c1' }] }],
    [
      'GET docker /containers/c1/json',
      { json: { Id: 'c1', Name: '/c1', State: { Status: state }, Config: { Labels: LABELS } } },
    ],
    ['POST docker /containers/c1/exec', { status: 201, json: { Id: 'e1' } }],
    ['POST docker /exec/e1/start', { events }],
    ['GET docker /exec/e1/json', { json: { ExitCode: exitCode } }],
  ])
}

test('the packages of an environment are what the server itself says it has, and nothing that it warns of', async () => {
  const asked = hands(['numpy==2.1.0', 'pandas==2.2.3'])
  deepEqual(await notebookPackages.run(asked, DATA), {
    runs: true,
    packages: {
      ...{ tool: '/opt/env/bin/python -m pip freeze --all', readAt: 0 },
      ...{ lines: ['numpy==2.1.0', 'pandas==2.2.3'], isCut: false },
    },
  })
  const other = hands([])
  const { packages } = await notebookPackages.run(other, { ...DATA, pack: 'conda' })
  equal(packages?.tool, 'micromamba')
})

test('a server whose packages cannot be read is as good without, and says why', async () => {
  const asked = hands([], { exitCode: 1 })
  deepEqual(await notebookPackages.run(asked, DATA), { packages: null, runs: true })
  match(asked.said.join(), /exit code 1/)
})

test('a server that sleeps, or has another environment, is not asked', async () => {
  const nobody = { packages: null, runs: false }
  deepEqual(await notebookPackages.run(hands(['x'], { state: 'exited' }), DATA), nobody)
  deepEqual(await notebookPackages.run(hands(['x']), { ...DATA, environment: `e-${'2'.repeat(24)}` }), nobody)
})

test('however many there are, what is kept of them has an end', async () => {
  const { packages } = await notebookPackages.run(hands(Array(5_000).fill('x'.repeat(600))), DATA)
  equal(packages?.isCut, true)
  deepEqual([packages?.lines.length, packages?.lines[0]?.length], [200, 500])
})
