import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { branchOf, defineGitHost, type HostEvent, type RawDelivery } from './git-host.ts'
import { isSigned } from './signature.ts'

export const hmac = defineGitHost({
  name: 'hmac',
  summary:
    'Any sender that puts hex(HMAC-SHA256(secret, body)) into X-Signature, such as a CI job with openssl.',
  headers: { signature: 'x-signature' },
  verify: isSignedPlainly,
  read: readPlainEvent,
})

const Body = Type.Object({
  /** refs/heads/… of the branch that moved; without one: "look at the repository". */
  ref: Type.Optional(Type.String({ maxLength: 1024 })),
})

/** The signature of an empty body would be a constant, valid for ever: it is refused. */
function isSignedPlainly({ headers, body }: RawDelivery, secrets: readonly string[]): boolean {
  const given = headers[hmac.headers.signature] ?? ''
  const hex = given.startsWith('sha256=') ? given.slice('sha256='.length) : given
  return isSigned(body, hex, secrets) && body.length > 0
}

function readPlainEvent(_: RawDelivery, body: unknown): HostEvent {
  const { ref } = check(Body, body, 'The body', PAYLOAD_NOT_UNDERSTOOD)
  const branch = ref === undefined ? undefined : branchOf(ref)
  if (ref !== undefined && branch === undefined) {
    return { kind: 'ignored', reason: 'not-a-branch', remoteId: undefined }
  }
  return { kind: 'push', branch, remoteId: undefined }
}
