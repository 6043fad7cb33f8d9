import type { SeenEngine } from '#contract/engine.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { engineVersion } from '#programs/docker-version.ts'
import type { EngineFacts, Hands } from './command.ts'
import { enginesOf, LOCAL_ENGINE } from './engine.ts'

/** An engine that is away must not hold up the look at the others. */
const ASK_MS = 5_000

/** What was seen on one engine, or why nothing was. */
export interface LookedAt<T> {
  readonly engine: SeenEngine
  readonly seen: T | undefined
}

/** Looks at every engine of the host at once; undefined when it has only its own. A broken one spoils no other. */
export async function lookAtEngines<T>(
  hands: Hands,
  look: (on: Hands) => Promise<T>,
): Promise<readonly LookedAt<T>[] | undefined> {
  const { engines } = hands.host
  return engines === undefined
    ? undefined
    : await Promise.all(
        engines.map(async facts => {
          const { name, address, labels } = facts
          const engine = name === LOCAL_ENGINE ? undefined : facts
          try {
            const { version } = await hands.perform(engineVersion(address, ASK_MS))
            const seen = await look(handsOn(hands, facts))
            return { engine: { name, labels: { ...labels }, version, problem: null }, seen }
          } catch (error) {
            hands.signal.throwIfAborted()
            if (!engine) {
              throw error
            }
            const problem = asFairleadError(error).message
            return { engine: { name, labels: { ...labels }, version: null, problem }, seen: undefined }
          }
        }),
      )
}

/** Of one engine: what was done there, or why nothing was. */
export type DoneOn<T> = { readonly engine: EngineFacts } & (
  | { readonly done: T; readonly problem: undefined }
  | { readonly done: undefined; readonly problem: FairleadError }
)

/** Does the same on every engine of the host at once, its own first. One that does not answer is told, not thrown. */
export async function onEveryEngine<T>(
  hands: Hands,
  work: (on: Hands, engine: EngineFacts) => Promise<T>,
): Promise<readonly DoneOn<T>[]> {
  return await Promise.all(
    enginesOf(hands.host).map(async engine => {
      try {
        await hands.perform(engineVersion(engine.address, ASK_MS))
        return { engine, done: await work(handsOn(hands, engine), engine), problem: undefined }
      } catch (error) {
        hands.signal.throwIfAborted()
        return { engine, done: undefined, problem: asFairleadError(error) }
      }
    }),
  )
}

/** What a command gets for one engine of the host. */
export function handsOn(hands: Hands, engine: EngineFacts): Hands {
  const { host } = hands
  return {
    ...hands,
    host: { ...host, dockerSocket: engine.address, ...(engine.name === LOCAL_ENGINE ? {} : { engine }) },
  }
}
