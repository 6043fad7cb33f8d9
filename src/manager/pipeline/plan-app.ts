import { commandNamed } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import { plannedService, refuseTakenService } from '#manager/artifacts/service-names.ts'
import type { DeployRequest } from '#manager/deployments/deployment.ts'
import { APP_NOT_FOUND, STACK_HAS_NO_SOURCE } from '#manager/deployments/errors.ts'
import { refuseTakenPorts } from '#manager/firewall/published-ports.ts'
import { scanProjects } from '#manager/notebooks/scan-projects.ts'
import { driftedParts } from '#manager/observation/drift-state.ts'
import { refuseStranger } from '#manager/organisations/refuse-stranger.ts'
import { pushedPaths, refuseTakenPaths } from '#manager/registry/claim-paths.ts'
import { readEntry } from './app-entry.ts'
import { chooseEngine } from './choose-engine.ts'
import { describedApps, refuseNothing } from './described-apps.ts'
import { joinedApps } from './join-remotes.ts'
import { type MadePlan, makePlan, moveOf } from './make-plan.ts'
import { leavingBeside } from './make-room.ts'
import { ownEntry } from './own-entry.ts'
import { ownerOf } from './owner-of.ts'
import { readPlanInput } from './plan-input.ts'
import { readSecretFiles } from './read-secret-files.ts'
import { type Ask, fetchSource, type Source, tagsTell } from './source.ts'
import type { PipelineParts } from './step.ts'

/** What a deployment of the app would do now, without doing any of it. Nothing is journalled. */
export async function planApp(
  parts: PipelineParts,
  appId: string,
  { commit, artifact }: Pick<DeployRequest, 'commit' | 'artifact'> = {},
): Promise<MadePlan & { readonly source: Source }> {
  const app = await parts.db.selectFrom('apps').selectAll().where('id', '=', appId).executeTakeFirst()
  if (app && app.stack !== null) {
    throw STACK_HAS_NO_SOURCE(app.name)
  }
  const ask = app && askDirectly(parts, app.host, { owner: ownerOf(app, undefined) })
  const own = app && ownEntry(app)
  if (app && ask && own) {
    const { input } = await readPlanInput(parts, app, { deployment: newId(), drifted: driftedParts(app) })
    return { ...(await makePlan(ask, own, input)), source: own.source }
  }
  const repository = app?.repository_id
    ? await parts.db
        .selectFrom('repositories')
        .selectAll()
        .where('id', '=', app.repository_id)
        .executeTakeFirst()
    : undefined
  if (!app || !ask || !repository) {
    throw APP_NOT_FOUND(appId)
  }
  await refuseStranger(parts, repository)
  const source = await fetchSource(ask, repository, { sealer: parts.sealer, commit })
  const here = await describedApps(ask, source, repository, from => scanProjects(parts, repository, from))
  const described = await joinedApps(parts, ask, { app, repository }, here)
  refuseNothing(described)
  const entry = await readEntry(ask, app, described)
  const owner = ownerOf(app, repository)
  const engine = await chooseEngine(parts, askDirectly(parts, app.host, { owner }), app, entry.engine)
  const wanted = { repository, source: entry.source, files: entry.secretFiles }
  const inFiles = await readSecretFiles(parts, ask, wanted)
  const { input } = await readPlanInput(parts, app, {
    deployment: newId(),
    files: inFiles && { values: inFiles.values, revisions: {} },
    drifted: driftedParts(app),
    uses: entry.files?.uses,
    wanted: artifact,
    tags: tagsTell(repository, parts.sealer, source.commit),
  })
  const there = askDirectly(parts, app.host, { engine, owner })
  const made = await makePlan(there, entry, input, moveOf(app, engine, input))
  await refuseTakenService(parts.db, { app, service: plannedService(entry.target, made.plan) })
  await refuseTakenPaths(parts.db, { app, paths: pushedPaths(made.plan, input.registry) })
  const leaving = commit === undefined ? await leavingBeside(parts, { app, repository }, described) : []
  const ports = made.plan.nothingToDo ? [] : (made.plan.publishes ?? [])
  await refuseTakenPorts(parts.db, { app, engine, leaving, ports })
  return { ...made, source }
}

/** Tells a worker outside of any deployment: for questions that change nothing but its cache, and leave no secret in it. */
export function askDirectly(
  parts: Pick<PipelineParts, 'agents'>,
  host: string,
  on: Pick<TellOptions, 'engine' | 'owner'> = {},
): Ask {
  return async what => {
    const { deadlineMs, data } = commandNamed(what.command)
    const preview = Object.hasOwn(data.properties, 'preview') ? { preview: true } : {}
    return (await parts.agents.tell(host, {
      ...{ id: newId(), command: what.command, params: { ...what.data, ...preview }, deadlineMs },
      ...on,
    })) as Readonly<Record<string, unknown>>
  }
}
