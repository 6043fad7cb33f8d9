import { createHash } from 'node:crypto'

/** A public key that may be put into a container. */
export interface SshKey {
  readonly type: string
  /** Type and key without a comment: the same key gives the same line. */
  readonly line: string
  /** Without control characters, at most 100 characters; may be empty. */
  readonly comment: string
  /** As ssh-keygen -l shows it. */
  readonly fingerprint: string
}

export type ReadSshKey = { readonly key: SshKey } | { readonly problem: string }

/** Bits of an RSA key below which servers refuse it. */
const LEAST_RSA_BITS = 2_048
const MOST_CHARACTERS = 8_192
const ECDSA_POINT_BYTES: Readonly<Record<string, number>> = { nistp256: 65, nistp384: 97, nistp521: 133 }

/**
 * Reads exactly one line of a file of public keys, as ssh-keygen writes it. Options in front of a key are refused: they
 * would run commands and open tunnels in the name of whoever logs in.
 */
export function readSshKey(text: string): ReadSshKey {
  if (text.length > MOST_CHARACTERS) {
    return { problem: `is longer than ${MOST_CHARACTERS} characters` }
  }
  if (/PRIVATE KEY/.test(text)) {
    return { problem: 'is a private key, which stays with its owner; give the file that ends with .pub' }
  }
  const line = text.replace(/\r?\n$/, '')
  if (/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/.test(line)) {
    return { problem: 'is not one line of text' }
  }
  const [, type = '', encoded = '', rest = ''] =
    /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/.exec(line.trim()) ?? []
  if (type === '') {
    return { problem: 'does not begin with the type of a key; options in front of it are refused' }
  }
  const blob = Buffer.from(encoded, 'base64')
  if (blob.toString('base64') !== encoded) {
    return { problem: 'is damaged: its second word is not base64' }
  }
  const fields = fieldsOf(blob)
  const fault = fields === undefined ? 'is damaged or cut off' : faultOf(type, fields)
  if (fault !== undefined) {
    return { problem: fault }
  }
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return {
    key: {
      type,
      line: `${type} ${encoded}`,
      comment: rest.trim().slice(0, 100),
      fingerprint: `SHA256:${hash}`,
    },
  }
}

/** Each with its length before it; undefined when they do not end where the key does. */
function fieldsOf(blob: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = []
  let at = 0
  while (at < blob.length) {
    if (at + 4 > blob.length) {
      return undefined
    }
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) {
      return undefined
    }
    fields.push(blob.subarray(at + 4, end))
    at = end
  }
  return fields
}

function faultOf(type: string, [name, ...fields]: readonly Buffer[]): string | undefined {
  if (name?.toString('latin1') !== type) {
    return 'names one type and is of another'
  }
  const curve = /^(?:sk-)?ecdsa-sha2-(nistp\d{3})(?:@openssh\.com)?$/.exec(type)?.[1]
  switch (type) {
    case 'ssh-ed25519':
      return fields.length === 1 && fields[0]?.length === 32 ? undefined : 'is damaged'
    case 'sk-ssh-ed25519@openssh.com':
      return fields.length === 2 && fields[0]?.length === 32 ? undefined : 'is damaged'
    case 'ssh-rsa':
      return rsaFault(fields)
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return fields.length === 2 && isPoint(curve, fields) ? undefined : 'is damaged'
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return fields.length === 3 && isPoint(curve, fields) ? undefined : 'is damaged'
    default:
      return `is of the type ${JSON.stringify(type.slice(0, 40))}; ed25519, ECDSA and RSA with ${LEAST_RSA_BITS} bits are taken`
  }
}

function isPoint(curve: string | undefined, [name, point]: readonly Buffer[]): boolean {
  return (
    name?.toString('latin1') === curve && point?.[0] === 4 && point.length === ECDSA_POINT_BYTES[curve ?? '']
  )
}

function rsaFault(fields: readonly Buffer[]): string | undefined {
  const [exponent, modulus] = fields
  if (fields.length !== 2 || !exponent?.length || !modulus?.length) {
    return 'is damaged'
  }
  const bits = BigInt(`0x${modulus.toString('hex')}`).toString(2).length
  return bits < LEAST_RSA_BITS ? `is an RSA key of ${bits} bits; ${LEAST_RSA_BITS} are the least` : undefined
}
