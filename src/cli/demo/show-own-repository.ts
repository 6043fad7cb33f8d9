import { statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type CredentialOptions, readCredential, readFileText } from '#cli/credential.ts'
import { inWords } from '#cli/duration.ts'
import { REPOSITORY_NOT_DEPLOYED } from '#cli/errors.ts'
import { followDeployment } from '#cli/follow-deployment.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { NewRepository, RepositoryDocument } from '#contract/rest/repositories.ts'
import { appNameOf } from '#deploy-file/conventions.ts'
import { cloneLocal } from './demo-repository.ts'
import { type DemoResult, digestIn } from './show-examples.ts'
import type { World } from './world.ts'

export interface OwnRepository extends CredentialOptions {
  /** Git URL or local checkout. */
  readonly repository: string
  readonly branch?: string
}

const POLL_SECONDS = 5
const FOUND_WITHIN_MS = 120_000
const ASK_AGAIN_MS = 50

/** Registers a repository of the user and shows the deployments of all apps that it describes. */
export async function showOwnRepository(
  session: Session,
  world: World,
  own: OwnRepository,
): Promise<DemoResult> {
  const { client, printer, clock } = session
  const body = await describe(world, own)
  const startedAt = clock.monotonic()
  await client.send<RepositoryDocument>('POST', '/repositories', body)
  printer.line(
    `\n${inertLine(own.repository)} is registered as "${body.name}". It is looked at every ${POLL_SECONDS} s; its apps:`,
  )
  const apps = await findApps(session, body.name)
  const ended: DeploymentDetail[] = []
  for (const app of apps) {
    await world.addApp(app.name)
    printer.line(`\n  ${printer.colour.bold(app.name)} (${app.target})`)
    ended.push(await followDeployment(session, app.deployment.id, { say: printer.line }))
  }
  const ms = Math.round(clock.monotonic() - startedAt)
  const urls = (await Promise.all(apps.map(app => urlsOf(session, world, app.name)))).flat()
  const failed = ended.find(each => each.state !== 'succeeded')
  for (const url of failed ? [] : urls) {
    printer.line(`  ${printer.colour.bold(url)} ${inWords(ms)} after the registration`)
  }
  return {
    ok: failed === undefined,
    url: failed ? null : (urls[0] ?? null),
    commit: ended[0]?.commit ?? null,
    digest: ended.map(each => digestIn(each.evidence)).find(digest => digest !== undefined) ?? null,
    first_deploy_ms: failed ? null : ms,
    second_deploy_ms: null,
    failed_requests: 0,
    ...(failed ? { problem: `the deployment of ${failed.app} ended ${failed.state}` } : {}),
  }
}

/** A local checkout is pushed to the demo's own Git server: a worker reads no paths of its machine. */
async function describe(world: World, own: OwnRepository): Promise<NewRepository> {
  const schedule = { poll_seconds: POLL_SECONDS as 5, auto_apps: true }
  if (!isFolder(own.repository)) {
    const credential = await readCredential(own)
    return {
      name: appNameOf(own.repository),
      url: own.repository,
      ...schedule,
      ...(own.branch === undefined ? {} : { branch: own.branch }),
      ...(own.ca === undefined ? {} : { ca: readFileText(own.ca) }),
      ...(credential === undefined ? {} : { credential }),
    }
  }
  const { gitServer } = world
  await gitServer.createRepository('demo')
  const copy = await cloneLocal(join(world.folder, 'work'), gitServer, resolve(own.repository)).catch(
    cause => {
      throw REPOSITORY_NOT_DEPLOYED(
        `${inertLine(own.repository)} is a folder without a commit of Git`,
        'Make one there: git init && git add . && git commit -m first',
      ).with({ cause })
    },
  )
  await copy.push()
  return {
    name: appNameOf(basename(resolve(own.repository))),
    url: gitServer.url('demo'),
    ca: gitServer.ca,
    credential: { kind: 'https', username: gitServer.username, password: gitServer.password },
    ...schedule,
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

type Deployed = AppDocument & { readonly deployment: NonNullable<AppDocument['deployment']> }

/** The apps that the repository describes, once their deployments are requested; the reason when there are none. */
async function findApps({ client, clock, signal }: Session, repository: string): Promise<Deployed[]> {
  const deadline = clock.monotonic() + FOUND_WITHIN_MS
  for (;;) {
    const { items } = await client.get<{ items: AppDocument[] }>(`/apps?repository=${repository}`)
    const deployed = items.filter((app): app is Deployed => app.deployment !== null)
    if (deployed.length > 0) {
      return deployed
    }
    const { problem } = await client.get<RepositoryDocument>(`/repositories/${repository}`)
    if (problem || clock.monotonic() > deadline) {
      throw problem
        ? REPOSITORY_NOT_DEPLOYED(inertLine(problem.message, 1_000), inertLine(problem.hint, 1_000))
        : REPOSITORY_NOT_DEPLOYED('it describes no apps', 'Write a fairlead.yaml with "fairlead init".')
    }
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
}

async function urlsOf({ client }: Session, { proxy }: World, name: string): Promise<string[]> {
  const { domains } = await client.get<AppDocument>(`/apps/${name}`)
  return domains.map(domain => `http://${inertLine(domain, 253)}:${proxy.httpPort}/`)
}
