import { BAD_FRAME } from './errors.ts'
import { MAX_DEPTH } from './limits.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * JSON.parse that refuses what JSON.parse lets through: a key twice in one object (two readers could see two
 * different frames), `__proto__`, and deep nesting. Throws BAD_FRAME.
 */
export function parseStrict(text: string, what = 'The text'): unknown {
  scan(text, what)
  try {
    return JSON.parse(text)
  } catch {
    throw BAD_FRAME(what, 'it is not JSON')
  }
}

/** Looks only at tokens: what is not JSON at all is left to JSON.parse. */
function scan(text: string, what: string): void {
  /** One entry per open bracket: the keys of an object, undefined for a list. */
  const open: (Set<string> | undefined)[] = []
  let keyComes = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_LIST: {
        const isObject = text.charCodeAt(at) === OPEN_OBJECT
        open.push(isObject ? new Set() : undefined)
        keyComes = isObject
        if (open.length > MAX_DEPTH) {
          throw BAD_FRAME(what, `it is nested deeper than ${MAX_DEPTH}`)
        }
        break
      }
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop()
        keyComes = false
        break
      case COMMA:
        keyComes = open.at(-1) !== undefined
        break
      case COLON:
        keyComes = false
        break
      case QUOTE: {
        const end = endOfString(text, at)
        if (keyComes) {
          addKey(open.at(-1), text.slice(at, end + 1), what)
        }
        at = end
        break
      }
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) {
      backslashes++
    }
    if (backslashes % 2 === 0) {
      return end
    }
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

function addKey(keys: Set<string> | undefined, literal: string, what: string): void {
  const key = literal.includes('\\') ? unescaped(literal, what) : literal.slice(1, -1)
  if (keys?.has(key)) {
    throw BAD_FRAME(what, `the key ${JSON.stringify(key.slice(0, 64))} stands twice`)
  }
  if (key === '__proto__') {
    throw BAD_FRAME(what, 'the key "__proto__" is not allowed')
  }
  keys?.add(key)
}

function unescaped(literal: string, what: string): string {
  try {
    return String(JSON.parse(literal))
  } catch {
    throw BAD_FRAME(what, 'it is not JSON')
  }
}
