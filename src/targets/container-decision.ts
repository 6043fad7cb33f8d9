import { isDeepStrictEqual } from 'node:util'
import { ASLEEP, type ObservedContainer } from '#commands/container-data.ts'
import { type Found, foundOf, type ObservedRoute, runningAsWanted, servingBefore } from './container-found.ts'
import type { ContainerSettings } from './container-settings.ts'
import { type ContainerWants, configHashOf, type RunWants, wantsOf } from './container-wants.ts'
import type { PlanInput } from './target.ts'

/** All that the lists of the plan are made from. */
export interface Decision<W extends RunWants = RunWants, S = unknown> {
  readonly input: PlanInput<S>
  readonly wants: W
  readonly found: Found
  readonly configHash: string
  /** Runs as wanted already: nothing is started. */
  readonly present: ObservedContainer | undefined
  /** Serves until the new one does. */
  readonly serving: ObservedContainer | undefined
  readonly leftovers: readonly ObservedContainer[]
  readonly mustBuild: boolean
  readonly mustPush: boolean
  readonly isRouteWanted: boolean
}

export type ContainerDecision = Decision<ContainerWants, ContainerSettings>

/** What has to be done to what the worker found. */
export function decide(input: PlanInput<ContainerSettings>): ContainerDecision {
  return decideOn(input, wantsOf(input), foundOf(input))
}

/** The same for whatever target runs one container. */
export function decideOn<W extends RunWants, S>(input: PlanInput<S>, wants: W, found: Found): Decision<W, S> {
  const configHash = configHashOf(wants, found.content.reference)
  const present = runningAsWanted(found, { configHash, goal: input.goal, drifted: input.drifted })
  const decision = decisionWith(present, { input, wants, found, configHash })
  // Nothing can be led to one that sleeps: where anything has to be done, a new one is started.
  return present?.state === ASLEEP && !isSettled(decision)
    ? decisionWith(undefined, { input, wants, found, configHash })
    : decision
}

type Known<W extends RunWants, S> = Pick<Decision<W, S>, 'input' | 'wants' | 'found' | 'configHash'>

function decisionWith<W extends RunWants, S>(
  present: ObservedContainer | undefined,
  { input, wants, found, configHash }: Known<W, S>,
): Decision<W, S> {
  const { content, containers } = found
  const serving = present ?? servingBefore(found, input.deployment)
  // A registry that does not answer is no reason to touch what runs as wanted.
  const mustPush =
    content.registry !== 'none' && !content.pinned && !(present && content.registry !== 'missing')
  return {
    input,
    wants,
    found,
    configHash,
    present,
    serving,
    leftovers: containers.filter(each => each !== serving && each.deployment !== input.deployment),
    mustBuild: !content.localImageId && (!present || mustPush),
    mustPush,
    isRouteWanted: routeIsWanted(wants, found, present) && !input.drifted?.routes.includes(input.app.name),
  }
}

function routeIsWanted(
  { hosts, prefix, run, guard }: RunWants,
  { route }: Found,
  present: ObservedContainer | undefined,
): boolean {
  if (hosts.length === 0) {
    return route === undefined
  }
  return (
    route !== undefined &&
    isDeepStrictEqual([...route.hosts].sort(), [...hosts].sort()) &&
    route.prefix === prefix &&
    route.port === run.port &&
    isGuardedAs(route, guard) &&
    route.ip === present?.ip &&
    route.deployment === present?.deployment
  )
}

/** The login and the gate that a route names may be those of an earlier configuration. */
function isGuardedAs({ guard }: ObservedRoute, wanted: RunWants['guard']): boolean {
  return wanted === undefined ? guard === undefined : guard?.isOurs === true && guard.login === wanted.login
}

/** What runs is what is wanted, as far as the answers so far tell. */
export function isSettled({ present, mustPush, isRouteWanted, leftovers }: Decision): boolean {
  return present !== undefined && !mustPush && isRouteWanted && leftovers.length === 0
}
