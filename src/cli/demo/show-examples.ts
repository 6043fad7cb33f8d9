import { join } from 'node:path'
import { inWords } from '#cli/duration.ts'
import type { Session } from '#cli/session.ts'
import type { RepositoryDocument, WebhookSecretDocument } from '#contract/rest/repositories.ts'
import { copyExamples, type DemoRepository } from './demo-repository.ts'
import type { Hook } from './send-webhook.ts'
import { type WatchedPush, watchPush } from './watch-push.ts'
import type { World } from './world.ts'

/** What the demo found; the last line of `--exit`. */
export interface DemoResult {
  readonly ok: boolean
  readonly url: string | null
  readonly commit: string | null
  readonly digest: string | null
  readonly first_deploy_ms: number | null
  readonly second_deploy_ms: number | null
  /** Of those that visitors sent during the second deployment; null when there was no such measurement. */
  readonly failed_requests: number | null
  /** Present when not ok. */
  readonly problem?: string
}

/** As examples/fairlead.yaml names them. */
export const EXAMPLE_APPS = ['hello', 'board'] as const
const VISITORS_PER_SECOND = 20
const PAGE = 'hello/site/index.html'
const FIRST = 'This is the first version.'
const SECOND = 'This is the second version, and nobody noticed the switch.'

/** Registers the examples, pushes them, changes a page, pushes again, and watches both. */
export async function showExamples(session: Session, world: World): Promise<DemoResult> {
  const { printer } = session
  const repository = await copyExamples(join(world.folder, 'work'), world.gitServer, world.baseImage)
  const hook = await registerExamples(session, world)
  world.hook = hook
  printer.line('\nThe repository "demo" is registered, with two apps and a webhook. Now a first push:')

  const first = await showPush(session, world, { repository, hook, subject: 'First version', content: FIRST })
  if (problemOf(first)) {
    return resultOf(world, { first })
  }
  await repository.edit(PAGE, text => text.replace(FIRST, SECOND))
  printer.line(`\nA second push, while ${VISITORS_PER_SECOND} visitors a second look at the page:`)
  const second = await showPush(session, world, {
    repository,
    hook,
    subject: 'Second version',
    content: SECOND,
    visitorsPerSecond: VISITORS_PER_SECOND,
  })
  printer.line(
    `  ${second.requests} requests in the meantime, ${second.failures.length} of them failed${second.failures.length > 0 ? `: ${[...new Set(second.failures)].join(', ')}` : ''}`,
  )
  return resultOf(world, { first, second })
}

async function registerExamples({ client }: Session, { gitServer }: World): Promise<Hook> {
  await gitServer.createRepository('demo')
  await client.send<RepositoryDocument>('POST', '/repositories', {
    name: 'demo',
    url: gitServer.url('demo'),
    ca: gitServer.ca,
    credential: { kind: 'https', username: gitServer.username, password: gitServer.password },
    poll_seconds: 0,
    auto_apps: false,
  })
  for (const name of EXAMPLE_APPS) {
    await client.send('POST', '/apps', { name, repository: 'demo' })
  }
  return await client.send<WebhookSecretDocument>('POST', '/repositories/demo/webhook-secret', {
    git_host: 'github',
  })
}

interface PushToShow {
  readonly repository: DemoRepository
  readonly hook: Hook
  readonly subject: string
  readonly content: string
  readonly visitorsPerSecond?: number
}

async function showPush(session: Session, world: World, push: PushToShow): Promise<WatchedPush> {
  const { printer } = session
  const { colour } = printer
  const { repository, hook, subject, content, visitorsPerSecond = 0 } = push
  const commit = await repository.commit(subject)
  printer.line(`  ${colour.cyan(commit.slice(0, 12))} ${subject} -> app hello`)
  const watched = await watchPush(session, {
    repository,
    hook,
    gitServer: world.gitServer,
    app: 'hello',
    site: { port: world.proxy.httpPort, host: 'hello.localhost' },
    content,
    visitorsPerSecond,
    say: printer.line,
  })
  if (watched.ms !== undefined) {
    printer.line(
      `  ${colour.bold(urlOf(world))} shows the new page ${colour.bold(inWords(watched.ms))} after the push`,
    )
  }
  return watched
}

function urlOf({ proxy }: World): string {
  return `http://hello.localhost:${proxy.httpPort}/`
}

/** Everything that must be true of a push; the first thing that is not, in words. */
function problemOf({ deployment, others, ms, failures }: WatchedPush): string | undefined {
  const failed = [deployment, ...others].find(each => each.state !== 'succeeded')
  if (failed) {
    return `the deployment of ${failed.app} ended ${failed.state}: ${failed.error?.message ?? 'no reason given'}`
  }
  if (ms === undefined) {
    return 'the new page was never served'
  }
  return failures.length > 0 ? `${failures.length} requests failed` : undefined
}

function resultOf(world: World, { first, second }: { first: WatchedPush; second?: WatchedPush }): DemoResult {
  const last = second ?? first
  const digest = digestIn(last.deployment.evidence) ?? null
  const problem =
    problemOf(first) ??
    (second && problemOf(second)) ??
    (digest === null ? 'no image digest was seen' : undefined)
  return {
    ok: problem === undefined,
    url: urlOf(world),
    commit: last.deployment.commit,
    digest,
    first_deploy_ms: first.ms ?? null,
    second_deploy_ms: second?.ms ?? null,
    failed_requests: second?.failures.length ?? null,
    ...(problem === undefined ? {} : { problem }),
  }
}

/** The first image digest in what was seen at the end of a deployment. */
export function digestIn(evidence: unknown): string | undefined {
  if (typeof evidence !== 'object' || evidence === null) {
    return undefined
  }
  for (const [key, value] of Object.entries(evidence)) {
    const found =
      typeof value === 'string' && /digest/i.test(key)
        ? /sha256:[0-9a-f]{64}/.exec(value)?.[0]
        : digestIn(value)
    if (found !== undefined) {
      return found
    }
  }
  return undefined
}
