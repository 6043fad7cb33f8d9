import { inWords } from '#cli/duration.ts'
import { REPOSITORY_NOT_DEPLOYED } from '#cli/errors.ts'
import { followDeployment } from '#cli/follow-deployment.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type {
  RepositoryCheckDocument,
  RepositoryDocument,
  WebhookSecretDocument,
} from '#contract/rest/repositories.ts'
import { type DescribedApp, makeNewVersion } from './new-version.ts'
import { type OwnRepository, type OwnSource, openSource } from './own-source.ts'
import { refuseAppsInUse } from './remove-from-engine.ts'
import { type DemoResult, digestIn } from './show-examples.ts'
import { type Site, startVisitors, type Visitors, waitForAnswer } from './visitors.ts'
import { pushAndTell } from './watch-push.ts'
import type { World } from './world.ts'

const VISITORS_PER_SECOND = 20
/** The proxy's old connections and the last old container are gone by then. */
const LINGER_MS = 1_500

/** What was seen so far; the result says null for what was not. */
interface Seen {
  /** The app that is visited. */
  app: string | undefined
  url: string | null
  deployments: readonly DeploymentDetail[]
  firstMs: number | null
  secondMs: number | null
  failedRequests: number | null
}

/** Deploys all apps of a repository of the user, then a second version of each while visitors look at the first one. */
export async function showOwnRepository(
  session: Session,
  world: World,
  own: OwnRepository,
): Promise<DemoResult> {
  const seen: Seen = {
    app: undefined,
    url: null,
    deployments: [],
    firstMs: null,
    secondMs: null,
    failedRequests: null,
  }
  const problem = await deployTwice(session, { world, own, seen })
  const main = mainOf(seen)
  return {
    ok: problem === undefined,
    url: seen.url,
    commit: main?.commit ?? null,
    digest: digestIn(main?.evidence) ?? null,
    first_deploy_ms: seen.firstMs,
    second_deploy_ms: seen.secondMs,
    failed_requests: seen.failedRequests,
    ...(problem === undefined ? {} : { problem }),
  }
}

interface Run {
  readonly world: World
  readonly own: OwnRepository
  readonly seen: Seen
}

/** The first thing that is not as it should be, in words. */
async function deployTwice(session: Session, { world, own, seen }: Run): Promise<string | undefined> {
  const { client, printer, clock } = session
  const source = await openSource(world, own)
  const { name } = await client.send<RepositoryDocument>('POST', '/repositories', source.body)
  const apps = await createApps(session, world, name)
  printer.line(`\n${inertLine(own.repository)} is registered as "${name}". Its first deployment:`)
  const startedAt = clock.monotonic()
  const requested = await Promise.all(
    apps.map(app => client.send<DeploymentDocument>('POST', `/apps/${app.name}/deploy`, {})),
  )
  seen.deployments = await followAll(
    session,
    requested.map(({ id }) => id),
  )
  const failed = problemOf(seen.deployments)
  if (failed) {
    return failed
  }
  const visited = await visitedApp(session, apps)
  if (!visited) {
    return 'no app of it has a domain, so there is nothing to visit'
  }
  seen.app = visited.name
  const site = { host: visited.host, port: world.proxy.httpPort }
  const status = await waitForAnswer(site, session)
  if (status === undefined) {
    return `http://${site.host}:${site.port}/ is not answered by the app`
  }
  seen.url = `http://${inertLine(site.host, 253)}:${site.port}/`
  seen.firstMs = Math.round(clock.monotonic() - startedAt)
  printer.line(
    `  ${printer.colour.bold(seen.url)} answers with ${status}, ${printer.colour.bold(inWords(seen.firstMs))} after the request`,
  )
  return await deploySecond(session, { world, seen, source, apps, repository: name, site, status })
}

interface Second {
  readonly world: World
  readonly seen: Seen
  readonly source: OwnSource
  readonly apps: readonly DescribedApp[]
  readonly repository: string
  readonly site: Site
  /** What visitors get. */
  readonly status: number
}

async function deploySecond(session: Session, second: Second): Promise<string | undefined> {
  const { client, printer, clock, signal } = session
  const { world, seen, source, apps, repository, site, status } = second
  const { copy, changes } = await source.copy()
  if (changes) {
    await client.send('PATCH', `/repositories/${repository}`, changes)
    printer.line(
      '\nIt is not ours to push to: a copy of it on a Git server of the demo takes its place from here on.',
    )
  }
  const hook = await client.send<WebhookSecretDocument>(
    'POST',
    `/repositories/${repository}/webhook-secret`,
    {
      git_host: 'github',
    },
  )
  world.hook = hook
  const changed = await makeNewVersion(copy.folder, apps)
  const commit = await copy.commit('Second version, made by the demo of Fairlead')
  printer.line(
    `\nA second push (${changed.join(', ')}), while ${VISITORS_PER_SECOND} visitors a second expect a ${status}:`,
  )
  printer.line(`  ${printer.colour.cyan(commit.slice(0, 12))} Second version`)
  const visitors = startVisitors(site, { clock, perSecond: VISITORS_PER_SECOND, status })
  try {
    const { endedAt, deployments } = await pushAndTell(session, {
      repository: copy,
      gitServer: world.gitServer,
      hook,
    })
    seen.deployments = await followAll(session, deployments)
    const answered = await waitForAnswer(site, session)
    const pushedAt = clock.now() - (clock.monotonic() - endedAt)
    seen.secondMs = answered === status ? switchedAt(mainOf(seen)) - Math.round(pushedAt) : null
    await clock.sleep(LINGER_MS, signal)
  } finally {
    await visitors.stop()
  }
  seen.failedRequests = visitors.failures.length
  if (seen.secondMs !== null) {
    printer.line(`  visitors were led to it ${printer.colour.bold(inWords(seen.secondMs))} after the push`)
  }
  printer.line(`  ${visitorsLine(visitors)}`)
  return problemOfSecond(seen, { commit, visitors })
}

/** As the manager reads them; created before anything runs, so that no container of this machine is taken for theirs. */
async function createApps({ client }: Session, world: World, repository: string): Promise<DescribedApp[]> {
  const { apps } = await client.send<RepositoryCheckDocument>('POST', `/repositories/${repository}/check`)
  if (apps.length === 0) {
    throw REPOSITORY_NOT_DEPLOYED('it describes no apps', 'Write a fairlead.yaml with "fairlead init".')
  }
  await refuseAppsInUse(apps.map(({ name }) => name))
  for (const { name } of apps) {
    await world.addApp(name)
    await client.send('POST', '/apps', { name, repository })
  }
  return apps
}

async function followAll(session: Session, ids: readonly string[]): Promise<DeploymentDetail[]> {
  const { client, printer } = session
  const ended: DeploymentDetail[] = []
  for (const id of ids) {
    const { app } = await client.get<DeploymentDetail>(`/deployments/${id}`)
    printer.line(`\n  ${printer.colour.bold(inertLine(app))}`)
    ended.push(await followDeployment(session, id, { say: printer.line }))
  }
  return ended
}

function problemOf(deployments: readonly DeploymentDetail[]): string | undefined {
  const failed = deployments.find(each => each.state !== 'succeeded')
  return (
    failed &&
    `the deployment of ${failed.app} ended ${failed.state}: ${failed.error?.message ?? 'no reason given'}`
  )
}

/** The first app that has a domain. */
async function visitedApp(
  { client }: Session,
  apps: readonly DescribedApp[],
): Promise<{ name: string; host: string } | undefined> {
  for (const { name } of apps) {
    const [host] = (await client.get<AppDocument>(`/apps/${name}`)).domains
    if (host !== undefined) {
      return { name, host }
    }
  }
  return undefined
}

function mainOf({ app, deployments }: Seen): DeploymentDetail | undefined {
  return deployments.find(each => each.app === app) ?? deployments[0]
}

/** When visitors were led to the new version; the pages of both may be the same. */
function switchedAt(deployment: DeploymentDetail | undefined): number {
  const route = deployment?.steps.find(({ name }) => name === 'route')
  return Date.parse(route?.finished_at ?? deployment?.finished_at ?? '')
}

function visitorsLine({ requests, failures }: Visitors): string {
  const why = failures.length > 0 ? `: ${[...new Set(failures)].join(', ')}` : ''
  return `${requests} requests in the meantime, ${failures.length} of them failed${why}`
}

function problemOfSecond(
  seen: Seen,
  { commit, visitors }: { commit: string; visitors: Visitors },
): string | undefined {
  const main = mainOf(seen)
  return (
    problemOf(seen.deployments) ??
    (main ? undefined : 'the second push started no deployment') ??
    (main?.commit === commit ? undefined : `the second deployment is not of the commit ${commit}`) ??
    (main?.outcome === 'nothing-to-do' ? 'the second deployment changed nothing' : undefined) ??
    (seen.secondMs === null ? 'the second version does not answer as the first one did' : undefined) ??
    (visitors.requests === 0 ? 'no visitor came in time' : undefined) ??
    (visitors.failures.length > 0 ? `${visitors.failures.length} requests failed` : undefined) ??
    (digestIn(main?.evidence) === undefined ? 'no image digest was seen' : undefined)
  )
}
