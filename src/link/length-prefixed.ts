/** A purpose, a zero byte, then each field behind its length: no two lists of fields give the same bytes. Never JSON. */
export function lengthPrefixed(purpose: string, fields: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`${purpose}\0`)]
  for (const field of fields) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(field.length)
    parts.push(length, field)
  }
  return Buffer.concat(parts)
}
