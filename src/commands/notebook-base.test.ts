import { deepEqual } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const ENTRYPOINT = join(import.meta.dirname, '../../notebooks/base/nb-entrypoint')

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
