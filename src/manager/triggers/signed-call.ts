import { createHash } from 'node:crypto'
import { afterSha256, isSigned } from '#git-hosts/signature.ts'
import { STACK_NAME } from '#lib/stack-name.ts'
import { stackSecret } from '#lib/stack-secret.ts'
import type { DeployerConfig } from '#manager/deployer-config.ts'

/** A call as it arrived, its body not looked into. */
export interface SignedCall {
  readonly method: string
  /** As it was sent. */
  readonly path: string
  /** In the path. */
  readonly stack: string | undefined
  /** As signedBytes() gives it. */
  readonly body: Buffer
  readonly signature: string
  readonly timestamp: string
  readonly requestId: string
  readonly receivedAt: number
}

export type Verdict =
  | { readonly kind: 'v1' }
  /** The id counts once. */
  | { readonly kind: 'v2'; readonly requestId: string }
  /** For the log; the caller is not told. */
  | { readonly kind: 'refused'; readonly reason: string }

const V2 = 'v2='
const TOLERANCE_SECONDS = 300
const LONGEST_UNQUOTED = 100
const UNQUOTED = /^\{stack:([a-z0-9_-]+)\}$/
const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/

/**
 * Who signed a call, and how. `named` is the stack that it claims to be for: the stack's own secret is tried beside the
 * one for all.
 */
export function judgeCall(
  call: SignedCall,
  named: string | undefined,
  { secret, minScheme }: Pick<DeployerConfig, 'secret' | 'minScheme'>,
): Verdict {
  const master = secret.reveal()
  const keys = named !== undefined && isStackName(named) ? [master, stackSecret(master, named)] : [master]
  if (call.signature === '') {
    return refused('no signature')
  }
  if (call.signature.startsWith(V2)) {
    return judgeTimed(call, keys)
  }
  if (minScheme === 'v2') {
    return refused('v1 signature')
  }
  // Of nothing the signature would be the same for every stack.
  const signed = call.body.length > 0 ? call.body : Buffer.from(call.stack ?? '')
  const isRight = isSigned(signed, afterSha256(call.signature) || call.signature, keys)
  return isRight && signed.length > 0 ? { kind: 'v1' } : refused('wrong signature')
}

/**
 * The bytes that were signed. The workflow of the document puts its payload between double quotes into a shell line,
 * which takes the payload's own ones away: `{"stack":"media"}` is what it signed, `{stack:media}` arrives.
 */
export function signedBytes(body: Buffer): Buffer {
  const [, stack] = body.length > LONGEST_UNQUOTED ? [] : (UNQUOTED.exec(body.toString('latin1')) ?? [])
  return stack === undefined ? body : Buffer.from(JSON.stringify({ stack }))
}

export function isStackName(text: string): boolean {
  return new RegExp(STACK_NAME).test(text)
}

function judgeTimed(call: SignedCall, keys: readonly string[]): Verdict {
  const { method, path, body, timestamp, requestId, receivedAt } = call
  const hash = createHash('sha256').update(body).digest('hex')
  const text = ['v2', method, path, timestamp, requestId, hash].join('\n')
  if (!isSigned(Buffer.from(text), call.signature.slice(V2.length), keys)) {
    return refused('wrong v2 signature')
  }
  const away = Math.abs(Math.floor(receivedAt / 1000) - Number(timestamp))
  if (!/^[0-9]{1,12}$/.test(timestamp) || away > TOLERANCE_SECONDS) {
    return refused('not of these five minutes')
  }
  return REQUEST_ID.test(requestId) ? { kind: 'v2', requestId } : refused('no usable request id')
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason }
}
