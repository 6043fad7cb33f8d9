import type { Trigger } from './deployment.ts'

/** Detail of a trigger: the registry's garbage is to be collected. */
export const COLLECT = 'collect'

/** While such a deployment runs no other one does: nothing may be pushed, nor found in the registry and then be gone. */
export function isAlone(trigger: string | Trigger): boolean {
  const { kind, detail } = typeof trigger === 'string' ? (JSON.parse(trigger) as Trigger) : trigger
  return kind === 'api' && detail === COLLECT
}
