import { LOCAL_ENGINE } from '#commands/engine.ts'
import { ENGINE_UNKNOWN } from '#commands/engine-errors.ts'
import { asFairleadError } from '#lib/errors.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import { targetNamed } from '#targets/index.ts'
import type { Tell } from '#targets/target.ts'
import type { StepContext } from './step.ts'
import { tellSparing } from './tell-sparing.ts'

/** Where an app is after a deployment. */
export interface AppPlace {
  /** null: on the host's own engine. */
  readonly engine: string | null
  /** Engines that something of it is left on. */
  readonly left: readonly string[]
}

/**
 * Removes an app from the engines that it has moved away from; its volumes stay. The app is served from its new place by
 * then, so what fails is said and tried again by the next deployment.
 */
export async function leaveEngines(context: StepContext): Promise<void> {
  const { facts, say } = context
  const remaining: string[] = []
  for (const engine of enginesToLeave(context)) {
    try {
      for (const tell of removalFrom(context, engine)) {
        await tellSparing(context, { ...tell, key: `leave-${engine}-${tell.key}` })
      }
    } catch (error) {
      if (isStoreTrouble(error)) {
        throw error
      }
      say(`what is left on the engine "${engine}": ${asFairleadError(error).message}`)
      if (!ENGINE_UNKNOWN.matches(error)) {
        remaining.push(engine)
        say('the next deployment tries to remove it again')
      }
    }
  }
  facts.leftEngines = remaining
}

/** Undefined: nothing about it has changed. */
export function placeAfter(context: StepContext): AppPlace | undefined {
  const { app, facts } = context
  const engine = facts.engine ?? null
  const left = facts.leftEngines ?? enginesToLeave(context)
  const isSame = engine === app.engine && JSON.stringify(left) === JSON.stringify(leftBefore(context))
  return isSame ? undefined : { engine, left }
}

/** What takes a move back: requests go to the old engine again, and nothing stays on the new one. */
export function undoMove(context: StepContext, from: string): readonly Tell[] {
  const back = (context.facts.plan?.undo ?? []).filter(({ command }) => command === 'route.point')
  const engine = context.facts.engine ?? LOCAL_ENGINE
  return [
    ...back.map(tell => ({ ...tell, engine: from })),
    ...removalFrom(context, engine).map(tell => ({ ...tell, key: `undo-${tell.key}` })),
  ]
}

function enginesToLeave(context: StepContext): readonly string[] {
  const { facts } = context
  const all = [...leftBefore(context), ...(facts.movesFrom === undefined ? [] : [facts.movesFrom])]
  return [...new Set(all)].filter(engine => engine !== (facts.engine ?? LOCAL_ENGINE))
}

function leftBefore({ app }: StepContext): readonly string[] {
  return JSON.parse(app.left_engines ?? '[]') as string[]
}

function removalFrom({ app, facts, parts }: StepContext, engine: string): readonly Tell[] {
  const target = facts.target ?? targetNamed(app.target)
  const gone = target?.remove({
    app: { name: app.name, baseDomain: parts.baseDomain },
    volumes: 'keep',
    moved: true,
  })
  return (gone ?? []).map(tell => ({ ...tell, engine }))
}
