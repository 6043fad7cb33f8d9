import { compose } from './compose.ts'
import { container } from './container.ts'
import type { Target } from './target.ts'

/** Every target, in the order in which conventions are tried on a checkout without a deploy file. */
export const TARGETS: readonly Target[] = [compose, container]

export function targetNamed(name: string): Target | undefined {
  return TARGETS.find(target => target.name === name)
}
