import type { AppChange } from '#contract/rest/apps.ts'
import { STACK_HAS_NO_SOURCE } from '#manager/deployments/errors.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { SYSTEM_CHANGED_ELSEWHERE } from '#manager/systems/errors.ts'
import { system } from '#targets/system.ts'
import { VERSION_CHANGED } from './errors.ts'
import { type AppRecord, readApp } from './queries.ts'

export interface Change<T> {
  readonly name: string
  readonly change: T
  /** Version that the change was made on; undefined to change whatever is there. */
  readonly version: number | undefined
}

/** Changes an app's settings; what runs changes with the next deployment. VERSION_CHANGED if someone was faster. */
export async function updateApp(context: DeploymentsContext, wanted: Change<AppChange>): Promise<AppRecord> {
  const { db, clock, events } = context
  const app = await readApp(db, wanted.name)
  const { entry, approval, badge } = wanted.change
  const { engine } = wanted.change
  if (app.stack !== null && (approval === 'required' || entry !== undefined || engine)) {
    throw STACK_HAS_NO_SOURCE(app.name)
  }
  if (app.target === system.name && (wanted.change.overrides ?? entry ?? engine) !== undefined) {
    throw SYSTEM_CHANGED_ELSEWHERE(app.name)
  }
  const overrides = overridesAfter(app, wanted.change)
  const result = await db
    .updateTable('apps')
    .set({
      ...(entry === undefined ? {} : { entry }),
      ...(overrides === undefined ? {} : { overrides: JSON.stringify(overrides) }),
      ...(approval === undefined ? {} : { approval: approval === 'required' ? 1 : null }),
      ...(badge === undefined ? {} : { badge: badge === 'public' ? badge : null }),
      version: app.version + 1,
      updated_at: clock.now(),
    })
    .where('id', '=', app.id)
    .where('version', '=', wanted.version ?? app.version)
    .executeTakeFirst()
  const now = await readApp(db, wanted.name)
  if (result.numUpdatedRows === 0n) {
    throw VERSION_CHANGED(`The app "${wanted.name}"`, now.version)
  }
  events.publish('app', { id: app.id, app: app.name, state: 'changed' })
  return now
}

/** undefined: they stay as they are. */
function overridesAfter({ overrides }: AppRecord, change: AppChange): object | undefined {
  const { drift, engine } = change
  if (drift === undefined && engine === undefined) {
    return change.overrides
  }
  const all = { ...(change.overrides ?? (JSON.parse(overrides) as Record<string, unknown>)) }
  if (drift !== undefined) {
    all.drift = drift === 'by-deploy-file' ? undefined : drift
  }
  if (engine !== undefined) {
    all.engine = engine ?? undefined
  }
  // Undefined ones do not get into JSON.
  return all
}
