import { isDeepStrictEqual } from 'node:util'
import { SWARM_IMAGE_NOT_SHARED } from '#commands/swarm-errors.ts'
import { type FollowedTags, followedTags } from './followed-tags.ts'
import { type StackFound, type StackState, stackFoundOf, stackStates } from './stack-found.ts'
import { readStackRelease, releasedStack } from './stack-release.ts'
import type { StackSettings } from './stack-settings.ts'
import { askedOf, type StackWants, stackWantsOf } from './stack-wants.ts'
import type { PlanInput } from './target.ts'

/** All that the lists of the plan are made from. */
export interface StackDecision {
  readonly input: PlanInput<StackSettings>
  readonly wants: StackWants
  readonly found: StackFound
  readonly services: readonly StackState[]
  /** Services of the swarm that nobody wants any more. */
  readonly gone: readonly string[]
  readonly builds: readonly StackState[]
  readonly pushes: readonly StackState[]
  readonly mustApply: boolean
  readonly followed: FollowedTags | undefined
  readonly asked: ReturnType<typeof askedOf>
}

/** What has to be done to what the worker found. */
export function decideStack(input: PlanInput<StackSettings>): StackDecision {
  const wants = stackWantsOf(input)
  const found = stackFoundOf(input.found)
  const services = stackStates(input)
  const wanted = new Set(services.map(each => each.name))
  const gone = found.live.map(each => each.name).filter(name => !wanted.has(name))
  const followed = input.goal ? readStackRelease(input.goal).followed : followedTags(input.settings, services)
  const mustApply =
    // Nothing is touched, but only a release says what is followed.
    (!input.goal && !isDeepStrictEqual(readStackRelease(input.previous).followed, followed)) ||
    gone.length > 0 ||
    services.some(each => each.state !== 'as-wanted') ||
    releasedStack(input.previous, wants.stack) === undefined
  // What the registry has under the name of this very content is run from there.
  const unshared = services.filter(({ image }) => image && image.registryDigest === undefined)
  const pushes = mustApply && wants.registry ? unshared : []
  const builds = mustApply ? unshared.filter(({ image }) => image?.localImageId === undefined) : []
  const [alone] = unshared
  if (mustApply && alone && !wants.registry && found.nodes.length > 1) {
    throw SWARM_IMAGE_NOT_SHARED(alone.image?.reference ?? alone.name, found.nodes.length)
  }
  const asked = askedOf(input.settings, found.rendered.services)
  return { input, wants, found, services, gone, builds, pushes, mustApply, followed, asked }
}
