import { followDeployment } from '#cli/follow-deployment.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { DemoRepository } from './demo-repository.ts'
import type { GitServer } from './git-server.ts'
import { type Hook, sendWebhook } from './send-webhook.ts'
import { type Site, startVisitors, waitForPage } from './visitors.ts'

export interface PushToWatch {
  readonly repository: DemoRepository
  readonly gitServer: GitServer
  readonly hook: Hook
  /** The app whose page tells that the commit arrived. */
  readonly app: string
  readonly site: Site
  /** Only in the new page. */
  readonly content: string
  /** Requests per second that must all succeed meanwhile; 0 for none. */
  readonly visitorsPerSecond: number
  readonly say: (text: string) => void
}

export interface WatchedPush {
  readonly deployment: DeploymentDetail
  /** Of the other apps of the repository. */
  readonly others: readonly DeploymentDetail[]
  /** From the end of the push to the first answer with the new content; undefined when it never came. */
  readonly ms: number | undefined
  readonly requests: number
  readonly failures: readonly string[]
}

/** The proxy's old connections and the last old container are gone by then. */
const LINGER_MS = 1_500
const PAGE_WITHIN_MS = 15_000

/** Pushes, sends the webhook, shows the steps, and watches the page all the while. */
export async function watchPush(session: Session, push: PushToWatch): Promise<WatchedPush> {
  const { clock } = session
  const { site, content, say } = push
  const visitors =
    push.visitorsPerSecond > 0 ? startVisitors(site, { clock, perSecond: push.visitorsPerSecond }) : undefined
  const gaveUp = new AbortController()
  try {
    const { endedAt, deployments } = await pushAndTell(session, push)
    const page = waitForPage(site, content, {
      clock,
      signal: AbortSignal.any([session.signal, gaveUp.signal]),
    }).catch(() => undefined)
    const main = await deploymentOf(session, deployments, push.app)
    const deployment = await followDeployment(session, main, { say })
    const others: DeploymentDetail[] = []
    for (const id of deployments.filter(each => each !== main)) {
      others.push(await followDeployment(session, id, { say, shows: 'end' }))
    }
    const late = clock.after(deployment.state === 'succeeded' ? PAGE_WITHIN_MS : 0, () => gaveUp.abort())
    const answeredAt = await page
    late.close()
    if (visitors) {
      await clock.sleep(LINGER_MS, session.signal)
    }
    await visitors?.stop()
    return {
      deployment,
      others,
      ms: answeredAt === undefined ? undefined : Math.round(answeredAt - endedAt),
      requests: visitors?.requests ?? 0,
      failures: visitors?.failures ?? [],
    }
  } finally {
    gaveUp.abort()
    await visitors?.stop()
  }
}

/** The server tells of the push when it has taken it; that moment counts, and then the webhook is sent. */
export async function pushAndTell(
  { clock }: Pick<Session, 'clock'>,
  { repository, gitServer, hook }: Pick<PushToWatch, 'repository' | 'gitServer' | 'hook'>,
): Promise<{ endedAt: number; deployments: readonly string[] }> {
  const { promise, resolve } = Promise.withResolvers<{ endedAt: number; told: Promise<readonly string[]> }>()
  const listening = gitServer.onPush((_name, ref, before, after) => {
    if (ref === 'refs/heads/main') {
      const told = sendWebhook(hook, { ref, before, after })
      told.catch(() => undefined)
      resolve({ endedAt: clock.monotonic(), told })
    }
  })
  try {
    await repository.push()
    const { endedAt, told } = await promise
    return { endedAt, deployments: await told }
  } finally {
    listening.close()
  }
}

async function deploymentOf({ client }: Session, ids: readonly string[], app: string): Promise<string> {
  for (const id of ids) {
    if ((await client.get<DeploymentDetail>(`/deployments/${id}`)).app === app) {
      return id
    }
  }
  throw new Error(`the webhook started no deployment of ${app}`)
}
