/** One field of a protobuf message: its number and its value (a whole number, or the bytes of a text or message). */
export interface Field {
  readonly number: number
  readonly value: number | Buffer
}

/** The fields of a message in their order. Only what is needed here: numbers below 2^53 and fields with a length. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0

  function varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]
      if (byte === undefined) {
        throw new RangeError('a protobuf message ends too early')
      }
      value += (byte & 127) * factor
      if (byte < 128) {
        return value
      }
    }
  }

  function bytes(length: number): Buffer {
    at += length
    if (at > message.length) {
      throw new RangeError('a protobuf message ends too early')
    }
    return message.subarray(at - length, at)
  }

  while (at < message.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        yield { number, value: bytes(8) }
        break
      case 2:
        yield { number, value: bytes(varint()) }
        break
      case 5:
        yield { number, value: bytes(4) }
        break
      default:
        throw new RangeError('a protobuf message has a field of an unknown form')
    }
  }
}

/** A message of fields with numbers or texts, in the order of their field numbers. */
export function messageOf(fields: Readonly<Record<number, number | string>>): Buffer {
  const parts = Object.entries(fields).map(([number, value]) => {
    const key = Number(number) * 8
    if (typeof value === 'number') {
      return Buffer.concat([varintOf(key), varintOf(value)])
    }
    const text = Buffer.from(value)
    return Buffer.concat([varintOf(key + 2), varintOf(text.length), text])
  })
  return Buffer.concat(parts)
}

function varintOf(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left >= 128) {
    bytes.push((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  return Buffer.from([...bytes, left])
}
