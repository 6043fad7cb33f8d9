const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const OPEN_OBJECT = 0x7b
const CLOSE_LIST = 0x5d
const CLOSE_OBJECT = 0x7d

/** Whether JSON text is nested deeper than `most`: JSON.parse takes seconds and gigabytes for 40 MB of brackets. */
export function isDeeperThan(json: Buffer, most: number): boolean {
  let depth = 0
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index]
    if (byte === QUOTE) {
      index = endOfString(json, index + 1)
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1
      if (depth > most) {
        return true
      }
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1
    }
  }
  return false
}

/** Where the quote stands that ends the string; the length of the text if none does. */
function endOfString(json: Buffer, from: number): number {
  let quote = json.indexOf(QUOTE, from)
  while (quote >= 0 && isEscaped(json, quote)) {
    quote = json.indexOf(QUOTE, quote + 1)
  }
  return quote < 0 ? json.length : quote
}

/** An odd number of backslashes stands before it. */
function isEscaped(json: Buffer, quote: number): boolean {
  let before = quote
  while (json[before - 1] === BACKSLASH) {
    before -= 1
  }
  return (quote - before) % 2 === 1
}
