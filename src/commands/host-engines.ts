import type { SeenEngine } from '#contract/engine.ts'
import { asFairleadError } from '#lib/errors.ts'
import { engineVersion } from '#programs/docker-version.ts'
import type { Hands } from './command.ts'
import { LOCAL_ENGINE } from './engine.ts'

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
          const on: Hands = {
            ...hands,
            host: { ...hands.host, dockerSocket: address, ...(engine ? { engine } : {}) },
          }
          try {
            const { version } = await hands.perform(engineVersion(address, ASK_MS))
            const seen = await look(on)
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
