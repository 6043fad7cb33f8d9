import { parse, TomlDate, TomlError } from 'smol-toml'

export type TomlValue = string | number | boolean | TomlValue[] | TomlTable
/** Without a prototype: any key may be asked for. */
export interface TomlTable {
  [key: string]: TomlValue
}

export class TomlFault extends Error {
  /** From 1. */
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

const MAX_NESTING = 64

/** Reads TOML 1.0; dates become texts. Throws a TomlFault. */
export function parseToml(text: string): TomlTable {
  try {
    return plain(parse(text.replace(/^\uFEFF/, ''), { maxDepth: MAX_NESTING })) as TomlTable
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw error
    }
    // What follows is the place, drawn.
    const [words = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new TomlFault(words, error.line)
  }
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

function newTable(): TomlTable {
  return Object.create(null) as TomlTable
}

function plain(value: unknown): TomlValue {
  if (value instanceof TomlDate) {
    return value.toISOString()
  }
  if (Array.isArray(value)) {
    return value.map(plain)
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'bigint' ? Number(value) : (value as TomlValue)
  }
  const table = newTable()
  for (const [key, each] of Object.entries(value)) {
    table[key] = plain(each)
  }
  return table
}
