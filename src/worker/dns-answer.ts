/** The zone in which a name of the switchboard is asked for: `<name>.fairlead`. */
export const ZONE = 'fairlead'

const HEADER_BYTES = 12
const TYPE_A = 1
const TYPE_ANY = 255
const CLASS_IN = 1
const MAX_PACKET_BYTES = 4096

const NO_ERROR = 0
const NO_SUCH_NAME = 3
const NOT_IMPLEMENTED = 4
const REFUSED = 5

interface Question {
  readonly name: string
  readonly type: number
  readonly class: number
  /** First byte behind the question. */
  readonly end: number
}

/**
 * The answer to one DNS packet, or undefined for what deserves none (RFC 1035: malformed, or itself an answer).
 * Only A records of the zone exist; a known name without such a record (AAAA) gets an empty NOERROR. TTL is 0.
 */
export function answerQuery(
  packet: Uint8Array,
  addressOf: (name: string) => string | undefined,
): Buffer | undefined {
  const query = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
  if (query.length < HEADER_BYTES || query.length > MAX_PACKET_BYTES || isAnswer(query)) {
    return undefined
  }
  if (opcodeOf(query) !== 0) {
    return reply(query, { code: NOT_IMPLEMENTED })
  }
  const question = query.readUInt16BE(4) === 1 ? readQuestion(query) : undefined
  if (!question) {
    return undefined
  }
  if (question.class !== CLASS_IN) {
    return reply(query, { code: REFUSED, question })
  }
  const address = question.name.endsWith(`.${ZONE}`)
    ? addressOf(question.name.slice(0, -ZONE.length - 1))
    : undefined
  if (!address) {
    return reply(query, { code: NO_SUCH_NAME, question })
  }
  const wanted = question.type === TYPE_A || question.type === TYPE_ANY
  return reply(query, { code: NO_ERROR, question, ...(wanted ? { address } : {}) })
}

function isAnswer(query: Buffer): boolean {
  return (query.readUInt8(2) & 0x80) !== 0
}

function opcodeOf(query: Buffer): number {
  return (query.readUInt8(2) >> 3) & 0x0f
}

function readQuestion(query: Buffer): Question | undefined {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (;;) {
    const length = query[at]
    // More than 63 would be a compression pointer, which has no place in a question.
    if (length === undefined || length > 63 || at - HEADER_BYTES > 254) {
      return undefined
    }
    at += 1
    if (length === 0) {
      break
    }
    labels.push(query.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
  if (at + 4 > query.length) {
    return undefined
  }
  // A dot inside a label must not pass for a border between two.
  const name = labels.some(label => label.includes('.')) ? '' : labels.join('.')
  return { name, type: query.readUInt16BE(at), class: query.readUInt16BE(at + 2), end: at + 4 }
}

function reply(
  query: Buffer,
  content: { readonly code: number; readonly question?: Question; readonly address?: string },
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  // An answer, authoritative (else resolvers take an empty one for a lame referral), no recursion; opcode and RD are echoed.
  header.writeUInt8(0x84 | (query.readUInt8(2) & 0x79), 2)
  header.writeUInt8(content.code, 3)
  header.writeUInt16BE(content.question ? 1 : 0, 4)
  header.writeUInt16BE(content.address ? 1 : 0, 6)
  return Buffer.concat([
    header,
    content.question ? query.subarray(HEADER_BYTES, content.question.end) : Buffer.alloc(0),
    content.address ? addressRecord(content.address) : Buffer.alloc(0),
  ])
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16)
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
  record.writeUInt16BE(TYPE_A, 2)
  record.writeUInt16BE(CLASS_IN, 4)
  record.writeUInt32BE(0, 6)
  record.writeUInt16BE(4, 10)
  Buffer.from(address.split('.').map(Number)).copy(record, 12)
  return record
}
