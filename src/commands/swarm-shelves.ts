import type { Hands, HostFacts } from './command.ts'
import { COMPOSE_RENDER_GONE } from './compose-errors.ts'
import { ownedBy, readRender } from './compose-store.ts'
import { enginesOf, LOCAL_ENGINE } from './engine.ts'
import { isStackModel, type StackModel } from './swarm-model.ts'

/** No name of a stack or an engine has it. */
const OF_ENGINE = '@'

/** Where the renders of a stack are: each engine may have a stack of that name, of another app each. */
export function shelfOf({ engine }: Pick<HostFacts, 'engine'>, stack: string): string {
  return shelfOn(engine?.name ?? LOCAL_ENGINE, stack)
}

export interface Shelf {
  readonly shelf: string
  readonly stack: string
  readonly engine: string
  /** It runs on another engine now. */
  readonly hasLeft: boolean
}

/** Of all engines; without `@` it may as well be a Compose project. */
export async function shelvesOf(hands: Hands, app: string): Promise<readonly Shelf[]> {
  return (await ownedBy(hands, app)).map(({ name: shelf, owner }) => {
    const [stack = '', engine = LOCAL_ENGINE] = shelf.split(OF_ENGINE)
    return { shelf, stack, engine, hasLeft: owner.hasLeft === true }
  })
}

/** A rendered stack by the hash of its text. A release of an app that has moved since was kept for its old engine. */
export async function readStack(hands: Hands, stack: string, hash: string): Promise<StackModel> {
  const own = shelfOf(hands.host, stack)
  const others = enginesOf(hands.host).map(({ name }) => shelfOn(name, stack))
  for (const shelf of new Set([own, ...others])) {
    try {
      const render = await readRender(hands, shelf, hash)
      if (isStackModel(render)) {
        return render
      }
    } catch (error) {
      if (!COMPOSE_RENDER_GONE.matches(error)) {
        throw error
      }
    }
  }
  throw COMPOSE_RENDER_GONE(stack, hash)
}

function shelfOn(engine: string, stack: string): string {
  return engine === LOCAL_ENGINE ? stack : `${stack}${OF_ENGINE}${engine}`
}
