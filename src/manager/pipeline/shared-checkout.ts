import { lastAsked, nextTurn } from '#manager/deployments/last-asked.ts'
import type { Source } from './source.ts'
import type { StepContext } from './step.ts'

interface Kept {
  readonly turn: number
  readonly source: Promise<Source>
}

/** Of so many repositories the last one is remembered. */
const MOST = 4
const memories = new WeakMap<object, Map<string, Kept>>()

/**
 * The tip of the branch as another app's deployment fetches it, or has, provided that it began after the last request for
 * this app: then it has seen whatever that was about. So a push to a repository with hundreds of projects is fetched once.
 */
export async function sharedCheckout(
  { parts, app, repository }: StepContext,
  look: () => Promise<Source>,
): Promise<Source> {
  const memory = memories.get(parts.agents) ?? new Map<string, Kept>()
  memories.set(parts.agents, memory)
  const key = `${repository?.host} ${repository?.id} ${repository?.version}`
  const kept = memory.get(key)
  const asked = lastAsked(parts.events, app.id)
  if (kept && asked !== undefined && kept.turn > asked) {
    try {
      return await kept.source
    } catch {
      // Perhaps somebody cancelled that deployment.
    }
  }
  const turn = nextTurn()
  const source = look()
  memory.delete(key)
  memory.set(key, { turn, source })
  for (const old of [...memory.keys()].slice(0, Math.max(0, memory.size - MOST))) {
    memory.delete(old)
  }
  return await source
}
