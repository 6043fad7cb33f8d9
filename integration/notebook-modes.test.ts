import { equal, match, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mustRun } from './world/command.ts'
import { ensureNotebookBase } from './world/notebook-base.ts'
import { ask, execute, untilServing } from './world/notebook-server.ts'

const NOTEBOOK = '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}'

/** By mode: what a base says of its Notebook, and what the page of the notebook is made by. Debian has no JupyterLab and no Voila. */
const SERVERS = {
  nbclassic: { notebook: '', sign: /data-notebook-path="project\/a%20b.ipynb"/ },
  notebook: { notebook: '6', sign: /data-notebook-path="project\/a%20b.ipynb"/ },
}

test('R9 the servers of Debian, nbclassic as a part of jupyter_server among them, open the entry below their path and execute', async t => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'notebook-modes-'))
  const run = (...args: string[]) => mustRun('docker', args, { folder: folder.path })
  const base = await ensureNotebookBase(folder.path)
  const token = randomBytes(32).toString('hex')
  await mkdir(join(folder.path, 'project'))
  await writeFile(join(folder.path, 'project', 'a b.ipynb'), NOTEBOOK)
  await writeFile(join(folder.path, 'token'), `${token}\n`, { mode: 0o444 })
  for (const [mode, { notebook, sign }] of Object.entries(SERVERS)) {
    await t.test(mode, async () => {
      const variables = {
        NB_MODE: mode,
        NB_NOTEBOOK: notebook,
        NB_BASE_URL: '/nb/churn/',
        NB_ENTRY: 'a b.ipynb',
      }
      const container = (
        await run(
          ...['run', '--detach', '--publish=127.0.0.1::8888', '--cap-drop=ALL', '--user=1000:1000'],
          ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
          `--volume=${join(folder.path, 'token')}:/run/secrets/jupyter_token:ro`,
          `--volume=${join(folder.path, 'project')}:/srv/project:ro`,
          base,
        )
      ).trim()
      try {
        const [host = '', port] = (await run('port', container, '8888')).trim().split(':')
        const headers = { authorization: `token ${token}` }
        const server = { host, port: Number(port), headers, base: '/nb/churn' }
        await untilServing(server)
        const first = await ask(server, '/nb/churn/')
        const to = first.headers.location ?? ''
        equal(first.status, 302)
        match(to, /^\/nb\/churn\/.*a%20b\.ipynb/)
        const page = await ask(server, to)
        equal(page.status, 200, to)
        match(page.body, sign)
        equal(await execute(server, 'print(6 * 7)'), '42\n')
        ok((await ask({ ...server, headers: {} }, to)).status >= 300, 'nobody enters without a token')
      } finally {
        await run('rm', '--force', '--volumes', container)
      }
    })
  }
})
