import type { Static } from 'typebox'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { imagePrune } from '#commands/image.ts'
import { forgetNames, freeNames } from '#manager/releases/given-names.ts'
import { pinnedAmong } from '#manager/releases/pins.ts'
import type { Tell } from '#targets/target.ts'
import type { StepContext } from './step.ts'
import { tellWorker } from './tell-worker.ts'

/**
 * Tells the worker one command. A plan knows what its own app needs; so that no image goes that an artefact names or
 * another app can go back to, a prune first only says what would go, and then takes what nobody has pinned.
 */
export async function tellSparing(context: StepContext, tell: Tell): Promise<void> {
  if (tell.command !== imagePrune.name) {
    await tellWorker(context, tell)
    return
  }
  const { app, parts, facts } = context
  const place = { host: app.host, engine: tell.engine ?? facts.engine ?? LOCAL_ENGINE }
  const given = await freeNames(parts.db, { ...place, app: app.name })
  const names = given.length > 0 ? { given } : {}
  const { buildCache, ...sparing } = tell.data
  const isCacheDue = parts.isCacheDue?.(`${place.host}/${place.engine}`) ?? true
  const cache = buildCache !== undefined && isCacheDue ? { buildCache } : {}
  const proposal = { ...tell, data: { ...sparing, ...cache, ...names, propose: true } }
  const { candidates = [] } = (await tellWorker(context, proposal)) as Static<typeof imagePrune.result>
  if (candidates.length === 0) {
    return
  }
  const pinned = await pinnedAmong(parts.db, {
    names: candidates.flatMap(({ known }) => known),
    exceptApp: app.id,
    keepReleases: parts.keepReleases,
  })
  const only = candidates
    .filter(({ known }) => !known.some(name => pinned.has(name)))
    .flatMap(each => each.take)
  if (only.length > 0) {
    const unpinned = { ...tell, key: `${tell.key}-unpinned`, data: { ...sparing, only } }
    const { removed } = (await tellWorker(context, unpinned)) as Static<typeof imagePrune.result>
    await forgetNames(parts.db, place, removed)
  }
}
