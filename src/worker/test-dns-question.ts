export interface QuestionOptions {
  readonly type?: number
  readonly class?: number
  readonly flags?: number
  readonly questions?: number
}

/** A DNS packet that asks for a name, given as text or as its labels. */
export function dnsQuestion(name: string | readonly string[], options: QuestionOptions = {}): Buffer {
  const labels = typeof name === 'string' ? name.split('.').filter(label => label !== '') : name
  const numbers = Buffer.alloc(12)
  numbers.writeUInt16BE(4711, 0)
  numbers.writeUInt16BE(options.flags ?? 0x0100, 2)
  numbers.writeUInt16BE(options.questions ?? 1, 4)
  const tail = Buffer.alloc(5)
  tail.writeUInt16BE(options.type ?? 1, 1)
  tail.writeUInt16BE(options.class ?? 1, 3)
  const encoded = labels.map(label => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([numbers, ...encoded, tail])
}

export interface DnsAnswer {
  readonly id: number
  readonly code: number
  readonly addresses: readonly string[]
  readonly ttl: number | undefined
}

/** What an answer of at most one address record says. */
export function readDnsAnswer(packet: Buffer | undefined): DnsAnswer | undefined {
  if (!packet) {
    return undefined
  }
  const answered = packet.readUInt16BE(6) === 1
  return {
    id: packet.readUInt16BE(0),
    code: packet.readUInt8(3) & 0x0f,
    addresses: answered ? [packet.subarray(-4).join('.')] : [],
    ttl: answered ? packet.readUInt32BE(packet.length - 10) : undefined,
  }
}
