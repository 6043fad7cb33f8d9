import { type KeyObject, sign, verify } from 'node:crypto'
import { BAD_PUBLIC_IDENTITY } from './errors.ts'
import { lengthPrefixed } from './length-prefixed.ts'
import { type Pin, type PublicIdentity, pinOf, publicKeyOf } from './public-identity.ts'

/** A key that takes the place of another one, as both say: the old one that it may, the new one that it wants to. */
export interface Successor {
  /** Public identity of the new key. */
  readonly identity: Readonly<Record<string, unknown>>
  readonly oldSig: string
  readonly newSig: string
}

interface Holder {
  readonly keyId: string
  readonly privateKey: KeyObject
}

export function proveSuccession(old: Holder, next: Holder, identity: PublicIdentity): Successor {
  const text = statement(old.keyId, next.keyId)
  const by = ({ privateKey }: Holder) => sign(null, text, privateKey).toString('base64')
  return { identity: { ...identity }, oldSig: by(old), newSig: by(next) }
}

/** The pin of the successor. Throws BAD_PUBLIC_IDENTITY unless both keys signed it, under the same name and role. */
export function successorOf(pin: Pin, { identity, oldSig, newSig }: Successor): Pin {
  const what = 'The successor'
  const next = pinOf(identity, what)
  if (next.name !== pin.name || next.role !== pin.role || next.keyId === pin.keyId) {
    throw BAD_PUBLIC_IDENTITY(what, `it is no new key of the ${pin.role} ${pin.name}`)
  }
  const text = statement(pin.keyId, next.keyId)
  const isSigned = ({ spki }: Pin, sig: string) =>
    verify(null, text, publicKeyOf(spki, what), Buffer.from(sig, 'base64'))
  if (!isSigned(pin, oldSig) || !isSigned(next, newSig)) {
    throw BAD_PUBLIC_IDENTITY(what, 'not both keys have signed it')
  }
  return next
}

function statement(old: string, next: string): Buffer {
  return lengthPrefixed(
    'fairlead-succession-v1',
    [old, next].map(keyId => Buffer.from(keyId, 'hex')),
  )
}
