import { deepEqual, equal, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtempDisposable, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const BASE = join(import.meta.dirname, '../../notebooks/base')
const ENTRYPOINT = join(BASE, 'nb-entrypoint')
const hasPython = spawnSync('python3', ['--version']).status === 0

test('the token that a notebook server is given counts, and none that its image brings along', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'notebook-base-'))
  const file = join(folder.path, 'token')
  await writeFile(file, 'given\n')
  const tokenOf = (environment: Readonly<Record<string, string>>) => {
    const env = { PATH: process.env.PATH, JUPYTER_RUNTIME_DIR: join(folder.path, 'runtime'), ...environment }
    const ran = spawnSync('sh', [ENTRYPOINT, 'printenv', 'JUPYTER_TOKEN'], { env, encoding: 'utf8' })
    return `${ran.stdout.trim()} ${ran.stderr}`.trim()
  }
  deepEqual(
    [
      tokenOf({ JUPYTER_TOKEN_FILE: file }),
      tokenOf({ JUPYTER_TOKEN_FILE: file, JUPYTER_TOKEN: 'of-the-image' }),
      tokenOf({ JUPYTER_TOKEN: 'by-hand' }),
    ],
    ['given', 'given', 'by-hand'],
  )
})

/** By mode: what is started, and the address of the notebook that is opened first, as each program takes it. */
const MODES: readonly (readonly [string, string, string])[] = [
  ['lab', 'jupyter-lab', '--LabApp.default_url=/lab/tree/project/a%20b.ipynb'],
  ['reader', 'jupyter-lab', '--ServerApp.terminals_enabled=False'],
  ['notebook', 'jupyter-notebook', '--JupyterNotebookApp.default_url=/notebooks/project/a%20b.ipynb'],
  ['nbclassic', 'jupyter-nbclassic', '--NotebookApp.default_url=/nbclassic/notebooks/project/a%20b.ipynb'],
  ['voila', 'voila', '/srv/project/a b.ipynb'],
]

test('R9 each mode starts its own server below its path, which opens the entry first and is told no token on its command line', {
  skip: hasPython ? false : 'python3 is not here',
}, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'notebook-base-'))
  const PATH = `${folder.path}:${process.env.PATH}`
  const runtime = join(folder.path, 'runtime')
  const env = { PATH, JUPYTER_TOKEN: 'secret', JUPYTER_RUNTIME_DIR: runtime, NB_ENTRY: 'a b.ipynb' }
  const words = (more: Readonly<Record<string, string>>) => {
    const ran = spawnSync('python3', ['-I', join(BASE, 'nb-serve')], {
      env: { ...env, ...more },
      encoding: 'utf8',
    })
    equal(ran.status, 0, ran.stderr)
    return ran.stdout.trim().split('\n')
  }
  for (const [, program] of MODES) {
    await writeFile(join(folder.path, program), '#!/bin/sh\necho "${0##*/}"\nprintf "%s\\n" "$@" "in $PWD"\n')
    await chmod(join(folder.path, program), 0o755)
  }
  for (const [mode, program, word] of MODES) {
    const [started, ...options] = words({ NB_MODE: mode, NB_BASE_URL: '/nb/churn/' })
    equal(started, program)
    ok(options.includes(word), options.join(' '))
    ok(options.some(each => /base_url=\/nb\/churn\/$/.test(each)))
    ok(!options.join().includes('secret'))
    // Where it is started it reads its settings first, and a project may have some.
    ok(mode !== 'voila' || options.includes(`in ${join(runtime, 'voila')}`), options.join(' '))
  }
  const given = JSON.parse(await readFile(join(runtime, 'voila', 'voila.json'), 'utf8'))
  deepEqual(given, { Voila: { token: 'secret' } })
  // As Debian has it: Notebook 6 is its own server, and there is no JupyterLab.
  await rm(join(folder.path, 'jupyter-lab'))
  const [started, ...options] = words({ NB_MODE: 'lab', NB_NOTEBOOK: '6' })
  equal(started, 'jupyter-notebook')
  ok(options.includes('--NotebookApp.default_url=/notebooks/project/a%20b.ipynb'), options.join(' '))
})
