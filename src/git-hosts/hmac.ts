import { defineGitHost, type RawDelivery } from './git-host.ts'
import { readPlainEvent } from './plain-event.ts'
import { afterSha256, isSigned } from './signature.ts'

const HEADERS = { signature: 'x-signature' } as const

export const hmac = defineGitHost({
  name: 'hmac',
  title: 'Any sender that can sign its body',
  summary:
    'Any sender that puts hex(HMAC-SHA256(secret, body)) into X-Signature, such as a CI job with openssl.',
  setup: [
    'Send a POST to the address with content type application/json.',
    'Body: {"ref":"refs/heads/main"} for one branch, or {} to have the repository looked at; it may name "repository".',
    'Header X-Signature: hex(HMAC-SHA256(secret, body)), for example with openssl dgst -sha256 -hmac "$SECRET".',
    'Equal bodies within half a minute count as one delivery: put something of your own into the body to repeat one.',
  ],
  headers: HEADERS,
  verify: isSignedPlainly,
  read: (_, body) => readPlainEvent(body),
})

/** The signature of an empty body would be a constant, valid for ever: it is refused. */
function isSignedPlainly({ headers, body }: RawDelivery, secrets: readonly string[]): boolean {
  const given = headers[HEADERS.signature] ?? ''
  return isSigned(body, afterSha256(given) || given, secrets) && body.length > 0
}
