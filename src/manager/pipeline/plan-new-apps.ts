import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { newAppRow } from '#manager/apps/create-missing.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { AppTable, RepositoryTable } from '#manager/store/tables.ts'
import { readEntry } from './app-entry.ts'
import { chooseEngine } from './choose-engine.ts'
import type { DescribedApps } from './described-apps.ts'
import { makePlan } from './make-plan.ts'
import { changeText } from './plan-difference.ts'
import { readPlanInput } from './plan-input.ts'
import { readSecretFiles } from './read-secret-files.ts'
import { type Ask, tagsTell } from './source.ts'
import type { StepContext } from './step.ts'
import { tellWorker } from './tell-worker.ts'

/**
 * What the first deployment of each app would do that a dry run would create: for the deployment that asked, because
 * there is no app that could keep it. An app that cannot be planned says why, and spoils nothing else.
 */
export async function planNewApps(
  context: StepContext,
  { repository, described, apps }: NewApps,
): Promise<Readonly<Record<string, unknown>>> {
  const plans: Record<string, unknown> = {}
  for (const app of apps) {
    try {
      const { hash, shown } = await planNewApp(context, { repository, described, app })
      plans[app.name] = { hash, plan: shown }
      context.say(`dry run: the new app "${app.name}" would be created`)
      for (const change of shown.changes) {
        context.say(`plan of ${app.name}: ${changeText(change)}`)
      }
    } catch (thrown) {
      if (context.signal.aborted || isStoreTrouble(thrown)) {
        throw thrown
      }
      const error = asFairleadError(thrown)
      plans[app.name] = { error: toWire(error) }
      context.say(`dry run: the new app "${app.name}" cannot be planned: ${error.message}`)
      context.say(`hint: ${error.hint}`)
    }
  }
  return plans
}

interface NewApps {
  readonly repository: Selectable<RepositoryTable>
  readonly described: DescribedApps
  readonly apps: readonly ReadApp[]
}

async function planNewApp(
  context: StepContext,
  { repository, described, app }: Omit<NewApps, 'apps'> & { readonly app: ReadApp },
) {
  const { parts } = context
  const ask: Ask = async tell => await tellWorker(context, { ...tell, key: `new:${app.name}:${tell.key}` })
  const row = {
    ...newAppRow(repository, app),
    id: newId(),
    engine: null,
    stack: null,
  } as Selectable<AppTable>
  const entry = await readEntry(ask, row, described)
  const engine = await chooseEngine(parts, ask, row, entry.engine)
  const wanted = { repository, source: entry.source, files: entry.secretFiles }
  const inFiles = await readSecretFiles(parts, ask, wanted)
  const { input } = await readPlanInput(parts, row, {
    deployment: context.deployment.id,
    files: inFiles && { values: inFiles.values, revisions: {} },
    drifted: undefined,
    moved: undefined,
    wanted: undefined,
    tags: tagsTell(repository, parts.sealer, entry.source.commit),
  })
  return await makePlan(tell => ask(engine === undefined ? tell : { ...tell, engine }), entry, input)
}
