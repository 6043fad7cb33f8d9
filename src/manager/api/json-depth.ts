const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** Whether JSON text is nested deeper than `most`: JSON.parse takes seconds and gigabytes for 40 MB of brackets. */
export function isDeeperThan(json: Buffer, most: number): boolean {
  let depth = 0
  let isInString = false
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index] ?? 0
    if (isInString) {
      if (byte === BACKSLASH) {
        index += 1
      } else if (byte === QUOTE) {
        isInString = false
      }
    } else if (byte === QUOTE) {
      isInString = true
    } else if (OPENING.has(byte)) {
      depth += 1
      if (depth > most) {
        return true
      }
    } else if (CLOSING.has(byte)) {
      depth -= 1
    }
  }
  return false
}
