import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { sendWebhook } from '#cli/demo/send-webhook.ts'
import { waitForPage } from '#cli/demo/visitors.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import type { Contender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { pageOf } from './tiny-app.ts'
import { untilEnd } from './until-end.ts'

const PUSHES = 20
const WITHIN_MS = 2000
/** No page of another measure. */
const FIRST_PAGE = 100_000
const ALL_ZERO = '0'.repeat(40)

/** P6: 20 pushes in 2 s to one app, each with its webhook. What is pushed lies ready: only the branch moves. */
export async function measureBurst(
  session: Session,
  world: World,
  { app, repository, hook }: Contender,
): Promise<Figure[]> {
  const { clock, signal } = session
  const bare = join(world.gitServer.repositoriesFolder, `${app.name}.git`)
  const commits: string[] = []
  for (let push = 0; push < PUSHES; push++) {
    await writeFile(join(repository.folder, 'app/page'), pageOf(FIRST_PAGE + push))
    commits.push(await repository.commit(`burst ${push}`))
  }
  await git(repository.folder, ['push', '--quiet', bare, 'HEAD:refs/heads/burst'])
  const startedAt = clock.monotonic()
  const told = new Set<string>()
  let before = ALL_ZERO
  for (const [push, after] of commits.entries()) {
    await git(repository.folder, ['push', '--quiet', bare, `${after}:refs/heads/main`])
    const ids = await sendWebhook(hook, { ref: 'refs/heads/main', before, after })
    ids.forEach(id => void told.add(id))
    before = after
    await clock.sleep(Math.max(0, startedAt + (push * WITHIN_MS) / PUSHES - clock.monotonic()), signal)
  }
  const sentMs = clock.monotonic() - startedAt
  const ended = await Promise.all([...told].map(id => untilEnd(session, id)))
  const site = { port: world.proxy.httpPort, host: `${app.name}.localhost` }
  await waitForPage(site, pageOf(FIRST_PAGE + PUSHES - 1).trim(), { clock, signal })
  const slow = sentMs > 1.05 * WITHIN_MS ? ' (this machine sends no faster, so more of them may run)' : ''
  return [
    {
      id: 'P6',
      what: `${PUSHES} pushes in ${WITHIN_MS / 1000} s, deployments that ran`,
      value: ended.filter(each => each.started_at !== null).length,
      unit: '',
      target: '<= 2',
      note: `sent in ${Math.round(sentMs)} ms${slow}; ${told.size} deployments, the last commit is live`,
    },
  ]
}

async function git(folder: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)('git', args, { cwd: folder, env: { ...GIT_ENVIRONMENT, HOME: folder } })
}
