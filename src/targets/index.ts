import { compose } from './compose.ts'
import { container } from './container.ts'
import { image } from './image.ts'
import { notebook } from './notebook.ts'
import { registry } from './registry.ts'
import { stack } from './stack.ts'
import { system } from './system.ts'
import type { Target } from './target.ts'

/** Every target, in the order in which conventions are tried on a checkout without a deploy file. */
export const TARGETS: readonly Target[] = [compose, container, image, stack, notebook]

/** Of apps without a repository: no file of a repository can ask for them. */
export const OWN_TARGETS: readonly Target[] = [registry, system]

export function targetNamed(name: string): Target | undefined {
  return [...TARGETS, ...OWN_TARGETS].find(target => target.name === name)
}
