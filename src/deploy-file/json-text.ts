import type { Problem } from '#lib/errors.ts'
import type { Path, YamlText } from './yaml-text.ts'

const MAX_CHARACTERS = 256 * 1024
const MAX_DEPTH = 100

const SPACE = /[ \t\r\n]*/y
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y

/** What stops the reading, with its place in the text. */
class Fault extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

interface Reading {
  readonly text: string
  /** Where values and the keys before them begin, by their paths. */
  readonly values: Map<string, number>
  readonly keys: Map<string, number>
  at: number
}

/** Reads JSON and knows afterwards where each value stands. JSON.parse names no line, and lets a key stand twice. */
export function readJson(text: string): YamlText {
  const reading: Reading = { text, values: new Map(), keys: new Map(), at: 0 }
  const place = (offset: number) => placeIn(text, offset)
  try {
    const value = readWhole(reading)
    return { value, problems: [], placeOf: (path, at) => place(offsetOf(reading, path, at)) }
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error
    }
    const problem: Problem = { path: '', message: error.message, ...place(error.offset) }
    return { value: undefined, problems: [problem], placeOf: () => place(error.offset) }
  }
}

function readWhole(reading: Reading): unknown {
  if (reading.text.length > MAX_CHARACTERS) {
    throw new Fault(0, 'is larger than 256 KiB')
  }
  if (reading.text.startsWith('\uFEFF')) {
    throw new Fault(0, 'begins with a byte order mark')
  }
  const value = readValue(reading, [])
  skipSpace(reading)
  if (reading.at < reading.text.length) {
    throw unexpected(reading, 'the end of the file')
  }
  return value
}

function readValue(reading: Reading, path: Path): unknown {
  skipSpace(reading)
  reading.values.set(keyOf(path), reading.at)
  if (path.length > MAX_DEPTH) {
    throw new Fault(reading.at, 'is nested too deeply')
  }
  switch (reading.text[reading.at]) {
    case '{':
      return readObject(reading, path)
    case '[':
      return readList(reading, path)
    case '"':
      return readText(reading, 'a value')
    default: {
      const scalar = match(reading, SCALAR)
      if (scalar === undefined) {
        throw unexpected(reading, 'a value')
      }
      return JSON.parse(scalar)
    }
  }
}

function readObject(reading: Reading, path: Path): Record<string, unknown> {
  const entries = new Map<string, unknown>()
  readItems(reading, '}', () => {
    const start = reading.at
    const key = readText(reading, 'a key in double quotes')
    if (entries.has(key)) {
      throw new Fault(start, `has the key "${key.slice(0, 60)}" twice`)
    }
    const inside = [...path, key]
    reading.keys.set(keyOf(inside), start)
    skipSpace(reading)
    if (reading.text[reading.at] !== ':') {
      throw unexpected(reading, 'a ":"')
    }
    reading.at += 1
    entries.set(key, readValue(reading, inside))
  })
  return Object.fromEntries(entries)
}

function readList(reading: Reading, path: Path): unknown[] {
  const items: unknown[] = []
  readItems(reading, ']', () => items.push(readValue(reading, [...path, items.length])))
  return items
}

function readItems(reading: Reading, end: '}' | ']', readItem: () => void): void {
  reading.at += 1
  skipSpace(reading)
  if (reading.text[reading.at] === end) {
    reading.at += 1
    return
  }
  for (;;) {
    skipSpace(reading)
    readItem()
    skipSpace(reading)
    const next = reading.text[reading.at]
    if (next !== ',' && next !== end) {
      throw unexpected(reading, `"," or "${end}"`)
    }
    reading.at += 1
    if (next === end) {
      return
    }
  }
}

function readText(reading: Reading, expected: string): string {
  const found = match(reading, TEXT)
  if (found === undefined) {
    throw unexpected(reading, expected)
  }
  return JSON.parse(found) as string
}

function skipSpace(reading: Reading): void {
  match(reading, SPACE)
}

function match(reading: Reading, token: RegExp): string | undefined {
  token.lastIndex = reading.at
  const [found] = token.exec(reading.text) ?? []
  reading.at += found?.length ?? 0
  return found
}

function unexpected({ text, at }: Reading, expected: string): Fault {
  const found = at < text.length ? `${JSON.stringify(text[at])} where` : 'the end of the file where'
  return new Fault(at, `is not JSON: there is ${found} ${expected} belongs`)
}

/** Of a key or a value; of the nearest thing around it when it is absent. */
function offsetOf({ values, keys }: Reading, path: Path, at: 'key' | 'value'): number {
  for (let length = path.length; length >= 0; length--) {
    const key = keyOf(path.slice(0, length))
    const offset = (at === 'key' && length === path.length ? keys.get(key) : undefined) ?? values.get(key)
    if (offset !== undefined) {
      return offset
    }
  }
  return 0
}

function keyOf(path: Path): string {
  return JSON.stringify(path)
}

function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
