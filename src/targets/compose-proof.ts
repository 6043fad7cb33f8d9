import { routeVerify } from '#commands/route.ts'
import { decide, isSettled } from './compose-decision.ts'
import { addressOf } from './compose-found.ts'
import type { ComposeSettings } from './compose-settings.ts'
import { type LookInput, type Tell, tell } from './target.ts'

/** Before "nothing to do" is said, every route is asked as a visitor asks. */
export function proofTells(input: LookInput<ComposeSettings>): readonly Tell[] {
  const decision = decide({ ...input, found: { ...input.found, answers: undefined } })
  const { wants, found } = decision
  if (!isSettled(decision) || wants.routes.length === 0) {
    return []
  }
  const asked = { ...(wants.probe ? { probe: wants.probe } : {}) }
  return [
    tell('answers', routeVerify, {
      routes: wants.routes.map(({ name, hosts, port }) => ({
        name,
        hosts: [...hosts],
        port,
        ip: addressOf(found, name),
        ...asked,
      })),
    }),
  ]
}
