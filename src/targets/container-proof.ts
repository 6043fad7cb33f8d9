import { routeVerify } from '#commands/route.ts'
import { type Decision, decide, isSettled } from './container-decision.ts'
import type { ContainerSettings } from './container-settings.ts'
import { type LookInput, type Tell, tell } from './target.ts'

/** Before "nothing to do" is said of a routed app, it is asked as a visitor asks; nothing is asked when all is made anew. */
export function proofTells(input: LookInput<ContainerSettings>): readonly Tell[] {
  return proofOf(decide({ ...input, found: { ...input.found, answers: undefined } }))
}

/** The same for whatever target runs one container. */
export function proofOf(decision: Decision): readonly Tell[] {
  const { input, wants, present } = decision
  const { port } = wants.run
  if (!isSettled(decision) || !present || port === undefined || wants.hosts.length === 0) {
    return []
  }
  return [
    tell('answers', routeVerify, {
      routes: [
        {
          name: input.app.name,
          hosts: [...wants.hosts],
          ...(wants.prefix === undefined ? {} : { prefix: wants.prefix }),
          port,
          ip: present.ip,
          ...(wants.probe ? { probe: wants.probe } : {}),
        },
      ],
    }),
  ]
}
