import type { Selectable } from 'kysely'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { engineChoose } from '#commands/engine-choose.ts'
import type { EngineWish } from '#contract/engine.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import type { AppTable } from '#manager/store/tables.ts'
import type { Ask } from './source.ts'
import type { PipelineParts } from './step.ts'

/**
 * The engine that an app is to be on; undefined: the host's own. Only an app that wants or wanted another one costs a
 * question: its worker says which one fits, that it answers, and that the way there loses no data.
 */
export async function chooseEngine(
  { db }: Pick<PipelineParts, 'db'>,
  ask: Ask,
  app: Pick<Selectable<AppTable>, 'id' | 'name' | 'engine'>,
  wish: EngineWish = LOCAL_ENGINE,
): Promise<string | undefined> {
  if (wish === LOCAL_ENGINE && app.engine === null) {
    return undefined
  }
  const current = app.engine ?? ((await newestRelease(db, app.id)) ? LOCAL_ENGINE : undefined)
  const { engine } = await ask({
    key: 'engine',
    command: engineChoose.name,
    data: { app: app.name, wish, ...(current === undefined ? {} : { current }) },
  })
  return nameOf(String(engine))
}

/** Where the app is: as a deployment of it tells its worker. */
export function engineOf({ engine }: Pick<Selectable<AppTable>, 'engine'>): string | undefined {
  return engine ?? undefined
}

function nameOf(engine: string): string | undefined {
  return engine === LOCAL_ENGINE ? undefined : engine
}
