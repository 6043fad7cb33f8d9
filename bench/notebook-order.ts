import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from '../integration/world/command.ts'
import { ask } from '../integration/world/notebook-server.ts'
import type { NotebookSystem } from '../integration/world/notebook-system.ts'

const EVERY_MS = 50
const TOKEN = 'of-the-bench'
const LONG_MS = 300_000

/**
 * The order of repo2docker's steps for a project with requirements, early ones first. Its own base image has the user and
 * Jupyter too; both are in the one here, which is the same that Fairlead builds on.
 */
const dockerfile = (base: string, commit: string) => `FROM ${base}
COPY --chown=1000:1000 requirements.txt /tmp/deps/requirements.txt
RUN pip install --no-input -r /tmp/deps/requirements.txt
COPY --chown=1000:1000 . /srv/project/
LABEL repo2docker.ref=${commit}
`

export interface OtherOrder {
  /** From the commit until its notebook is served, ms. */
  serve(commit: string, expected: string, cache: 'warm' | 'cold'): Promise<number>
}

/**
 * By hand, as repo2docker and BinderHub do it: the repository cloned anew, an image built for the commit, pushed, and a new
 * container in place of the old one. No hook, no proxy, no proofs.
 */
export async function openOtherOrder(
  stack: AsyncDisposableStack,
  { system }: NotebookSystem,
  { app, repository }: { readonly app: string; readonly repository: string },
): Promise<OtherOrder> {
  const { folder, registry } = system
  const work = join(folder, 'other-order')
  await mkdir(work, { recursive: true })
  // Its login is kept in the folder of the system.
  const options = { folder, timeoutMs: LONG_MS }
  const docker = async (...args: string[]) => (await mustRun('docker', args, options)).trim()
  const made: string[] = []
  let serving: string | undefined
  stack.defer(async () => {
    if (serving !== undefined) {
      await docker('rm', '--force', '--volumes', serving)
    }
    if (made.length > 0) {
      await docker('rmi', '--force', ...made)
    }
  })
  return {
    async serve(commit, expected, cache) {
      const startedAt = systemClock.monotonic()
      const clone = join(work, commit)
      await mustRun('git', ['clone', '--quiet', '--depth=1', `file://${repository}`, clone], { folder: work })
      const context = join(work, `${commit}-context`)
      await cp(join(clone, app), context, { recursive: true })
      await writeFile(join(context, 'Dockerfile'), dockerfile(`${registry.address}/nb/jupyter:1`, commit))
      const image = `${registry.address}/other-order:${commit}`
      const fresh = cache === 'cold' ? ['--no-cache'] : []
      await docker('build', '--quiet', ...fresh, '--tag', image, context)
      made.push(image)
      await docker('push', '--quiet', image)
      if (serving !== undefined) {
        await docker('rm', '--force', '--volumes', serving)
      }
      const start = ['run', '--detach', `--env=JUPYTER_TOKEN=${TOKEN}`, '--publish=127.0.0.1::8888']
      serving = await docker(...start, image)
      const [host = '', port] = (await docker('port', serving, '8888')).split(':')
      const server = { host, port: Number(port), headers: { authorization: `token ${TOKEN}` } }
      for (;;) {
        const { body } = await ask(server, '/api/contents/project/analysis.ipynb').catch(() => ({ body: '' }))
        if (body.includes(expected)) {
          return systemClock.monotonic() - startedAt
        }
        await systemClock.sleep(EVERY_MS)
      }
    },
  }
}
