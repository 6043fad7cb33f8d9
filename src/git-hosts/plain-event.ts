import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { branchOf, type HostEvent, notBranch, pushed } from './git-host.ts'
import { Ref, textIn } from './payload-fields.ts'

const Body = Type.Object({
  /** refs/heads/… of the branch that moved; without one: "look at the repository". */
  ref: Type.Optional(Ref),
  /** Owner and name. Whoever sends to many repositories says it, so that a mixed-up address is noticed. */
  repository: Type.Optional(Type.Unknown()),
})

/** The body of a sender of one's own. */
export function readPlainEvent(body: unknown): HostEvent {
  const { ref, repository } = check(Body, body, 'The body', PAYLOAD_NOT_UNDERSTOOD)
  const origin = { remotePath: textIn(repository) }
  const branch = ref === undefined ? undefined : branchOf(ref)
  if (ref !== undefined && branch === undefined) {
    return notBranch(ref, origin)
  }
  return pushed(branch === undefined ? undefined : [branch], origin)
}
