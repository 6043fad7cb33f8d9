import type { Case } from './case.ts'
import { startCrashWorld } from './crash-world.ts'
import { Crashes, missedBy, type Result } from './run-case.ts'

type EngineKind = 'shared' | 'own'

/** Holds one world at a time: a new one for another kind of engine, and after a case that could not be run to its end. */
class Lane {
  #world:
    | { readonly kind: EngineKind; readonly stack: AsyncDisposableStack; readonly crashes: Crashes }
    | undefined

  async run(crash: Case): Promise<Result> {
    try {
      return await (await this.#worldFor(crash)).run(crash)
    } catch (error) {
      await this.close()
      return missedBy(crash, (error as Error).message)
    }
  }

  async close(): Promise<void> {
    await this.#world?.stack.disposeAsync()
    this.#world = undefined
  }

  async #worldFor({ victim }: Case): Promise<Crashes> {
    const kind = victim === 'engine' ? 'own' : 'shared'
    if (this.#world?.kind !== kind) {
      await this.close()
      const stack = new AsyncDisposableStack()
      try {
        const crashes = new Crashes(await startCrashWorld(stack, { engine: kind }))
        this.#world = { kind, stack, crashes }
      } catch (error) {
        // Half a world: its registry and its proxy run.
        await stack.disposeAsync()
        throw error
      }
    }
    return this.#world.crashes
  }
}

/** A process of runInLanes(): does the cases that it is sent, one after the other, until nobody sends any more. */
if (import.meta.main) {
  const lane = new Lane()
  let work = Promise.resolve()
  process.on('message', crash => {
    work = work.then(async () => void process.send?.(await lane.run(crash as Case)))
  })
  process.on('disconnect', () => void work.then(() => lane.close()))
}
