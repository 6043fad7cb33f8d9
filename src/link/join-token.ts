import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { JOIN_TOKEN_INVALID } from './errors.ts'
import { lengthPrefixed } from './length-prefixed.ts'

/**
 * Lets one host enrol, once. It tells the host which manager to believe (the fingerprint of its key), and the manager
 * which host (the secret). Shape: `FLD1.<id>.<secret>.<keyId of the manager>`, each in base64url.
 */
export interface JoinToken {
  /** Names the token; not secret. */
  readonly id: string
  /** Never leaves the two sides: it only makes proofs. */
  readonly secret: Buffer
  /** sha256 of the manager's public key, hex. */
  readonly managerKeyId: string
}

type Side = 'manager' | 'host'

const PREFIX = 'FLD1'
const ID_BYTES = 6
const SECRET_BYTES = 20
const SHAPE = /^FLD1\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{27})\.([A-Za-z0-9_-]{43})$/

export function newJoinToken(managerKeyId: string): JoinToken {
  return { id: newId(), secret: randomBytes(SECRET_BYTES), managerKeyId }
}

/** One that no command line takes for an option. */
function newId(): string {
  const id = randomBytes(ID_BYTES).toString('base64url')
  return id.startsWith('-') ? newId() : id
}

export function writeJoinToken({ id, secret, managerKeyId }: JoinToken): string {
  const key = Buffer.from(managerKeyId, 'hex').toString('base64url')
  return [PREFIX, id, secret.toString('base64url'), key].join('.')
}

/** Throws JOIN_TOKEN_INVALID, without the text: it may be most of a secret. */
export function readJoinToken(text: string): JoinToken {
  const [, id, secret, key] = SHAPE.exec(text.trim()) ?? []
  if (id === undefined || secret === undefined || key === undefined) {
    throw JOIN_TOKEN_INVALID()
  }
  return {
    id,
    secret: Buffer.from(secret, 'base64url'),
    managerKeyId: Buffer.from(key, 'base64url').toString('hex'),
  }
}

export interface Statement {
  /** Who says it. */
  readonly by: Side
  readonly tokenId: string
  readonly text: string
  /** What it answers; '' for what the host says first. */
  readonly answers: string
}

/** That somebody with the secret says this, base64url. It says nothing about anything else: side, token and question are in it. */
export function proveStatement(secret: Buffer, statement: Statement): string {
  return proof(secret, statement).toString('base64url')
}

export function isProvenStatement(secret: Buffer, statement: Statement, given: string): boolean {
  const expected = proof(secret, statement)
  const actual = Buffer.from(given, 'base64url')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

function proof(secret: Buffer, { by, tokenId, text, answers }: Statement): Buffer {
  const fields = [by, tokenId, text, answers].map(field => createHash('sha256').update(field).digest())
  return createHmac('sha256', secret).update(lengthPrefixed('fairlead-join-v1', fields)).digest()
}
