import { expect, fault, type Reader, readText, skipBlank, skipSpace, take } from './toml-reader.ts'

export { TomlFault } from './toml-reader.ts'

export type TomlValue = string | number | boolean | TomlValue[] | TomlTable
/** Without a prototype: any key may be asked for. */
export interface TomlTable {
  [key: string]: TomlValue
}

/** Reads TOML 1.0; dates stay texts. Throws a TomlFault. */
export function parseToml(text: string): TomlTable {
  const reader: Reader = { text: text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), at: 0, depth: 0 }
  const root = newTable()
  /** Tables that a header or a dotted key made: no header may open them again. */
  const closed = new Set<TomlTable>()
  let current = root
  for (skipBlank(reader); reader.at < reader.text.length; skipBlank(reader)) {
    if (reader.text[reader.at] === '[') {
      current = readHeader(reader, root, closed)
    } else {
      readPair(reader, current)
    }
    endLine(reader)
  }
  return root
}

/** The table under a key, or an empty one. */
export function tableIn(table: TomlTable, key: string): TomlTable {
  const value = table[key]
  return isTable(value) ? value : newTable()
}

/** The text under a key; undefined when there is none. */
export function textIn(table: TomlTable, key: string): string | undefined {
  const value = table[key]
  return typeof value === 'string' ? value : undefined
}

/** The texts of the list under a key. */
export function textsIn(table: TomlTable, key: string): string[] {
  const value = table[key]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_NESTING = 64
const BARE_KEY = /[A-Za-z0-9_-]+/y
const SCALAR = /[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?/y
const NUMBER = /^[+-]?(?:\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d[\d_]*)?|0[xob][\da-fA-F_]+|inf|nan)$/
const DATE = /^\d{4}-\d\d-\d\d|^\d\d:\d\d/
function newTable(): TomlTable {
  return Object.create(null) as TomlTable
}

function endLine(reader: Reader): void {
  skipSpace(reader)
  const next = reader.text[reader.at]
  if (next !== undefined && next !== '\n' && next !== '#') {
    throw fault(reader, 'there is more on the line than a key and its value')
  }
}

function readHeader(reader: Reader, root: TomlTable, closed: Set<TomlTable>): TomlTable {
  const isList = reader.text.startsWith('[[', reader.at)
  expect(reader, isList ? '[[' : '[')
  const path = readKeys(reader)
  expect(reader, isList ? ']]' : ']')
  const last = path.pop() ?? ''
  const parent = path.reduce((table, key) => inner(reader, table, key), root)
  const there = parent[last]
  if (isList) {
    if (there !== undefined && !Array.isArray(there)) {
      throw fault(reader, `"${last}" is there twice`)
    }
    const list = there ?? []
    const table = newTable()
    list.push(table)
    parent[last] = list
    return table
  }
  if (there !== undefined && (!isTable(there) || closed.has(there))) {
    throw fault(reader, `"${last}" is there twice`)
  }
  const table = there ?? newTable()
  parent[last] = table
  closed.add(table)
  return table
}

/** The table that a part of a dotted key means; of a list of tables the last one. */
function inner(reader: Reader, table: TomlTable, key: string): TomlTable {
  table[key] ??= newTable()
  const value = table[key]
  const found = Array.isArray(value) ? value.at(-1) : value
  if (!isTable(found)) {
    throw fault(reader, `"${key}" is no table`)
  }
  return found
}

function readPair(reader: Reader, table: TomlTable): void {
  const path = readKeys(reader)
  expect(reader, '=')
  skipSpace(reader)
  const last = path.pop() ?? ''
  const parent = path.reduce((outer, key) => inner(reader, outer, key), table)
  if (last in parent) {
    throw fault(reader, `"${last}" is there twice`)
  }
  parent[last] = readValue(reader)
}

function readKeys(reader: Reader): string[] {
  const keys: string[] = []
  do {
    reader.at += keys.length > 0 ? 1 : 0
    skipSpace(reader)
    const quote = reader.text[reader.at]
    const key = quote === '"' || quote === "'" ? readText(reader) : take(reader, BARE_KEY)
    if (key === '' && quote !== '"' && quote !== "'") {
      throw fault(reader, 'a key is missing')
    }
    keys.push(key)
    skipSpace(reader)
  } while (reader.text[reader.at] === '.' && keys.length < MAX_NESTING)
  return keys
}

function readValue(reader: Reader): TomlValue {
  const first = reader.text[reader.at]
  if (first === '"' || first === "'") {
    return readText(reader)
  }
  if (first === '[' || first === '{') {
    reader.depth += 1
    if (reader.depth > MAX_NESTING) {
      throw fault(reader, 'it is nested too deeply')
    }
    const value = first === '[' ? readList(reader) : readInlineTable(reader)
    reader.depth -= 1
    return value
  }
  const word = take(reader, SCALAR)
  if (word === 'true' || word === 'false') {
    return word === 'true'
  }
  if (NUMBER.test(word)) {
    const plain = word.replaceAll('_', '').replace('inf', 'Infinity').replace('nan', 'NaN')
    return Number(plain)
  }
  if (DATE.test(word)) {
    return word
  }
  throw fault(reader, word === '' ? 'a value is missing' : `"${word.slice(0, 40)}" is no value`)
}

function readList(reader: Reader): TomlValue[] {
  const list: TomlValue[] = []
  expect(reader, '[')
  for (skipBlank(reader); reader.text[reader.at] !== ']'; skipBlank(reader)) {
    list.push(readValue(reader))
    skipBlank(reader)
    if (reader.text[reader.at] !== ']') {
      expect(reader, ',')
    }
  }
  expect(reader, ']')
  return list
}

function readInlineTable(reader: Reader): TomlTable {
  const table = newTable()
  expect(reader, '{')
  for (skipBlank(reader); reader.text[reader.at] !== '}'; skipBlank(reader)) {
    readPair(reader, table)
    skipBlank(reader)
    if (reader.text[reader.at] !== '}') {
      expect(reader, ',')
    }
  }
  expect(reader, '}')
  return table
}
