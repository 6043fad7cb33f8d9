/** A text that is being read from left to right. */
export interface Reader {
  readonly text: string
  at: number
  depth: number
}

/** What is wrong with a text that should be TOML, and in which line. */
export class TomlFault extends Error {
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

export function fault(reader: Reader, message: string): TomlFault {
  return new TomlFault(message, reader.text.slice(0, reader.at).split('\n').length)
}

/** What a sticky pattern finds here; nothing when it does not fit. */
export function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0] ?? ''
  reader.at += found.length
  return found
}

/** Spaces, empty lines and comments. */
export function skipBlank(reader: Reader): void {
  take(reader, BLANK)
}

/** Spaces of this line. */
export function skipSpace(reader: Reader): void {
  take(reader, SPACE)
}

export function expect(reader: Reader, sign: string): void {
  if (!reader.text.startsWith(sign, reader.at)) {
    throw fault(reader, `"${sign}" is missing`)
  }
  reader.at += sign.length
}

const BLANK = /(?:[ \t\n]+|#[^\n]*)*/y
const SPACE = /[ \t]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
}

/** A quoted text of any of the four kinds. */
export function readText(reader: Reader): string {
  const quote = reader.text[reader.at] ?? ''
  const isLong = reader.text.startsWith(quote.repeat(3), reader.at)
  const start = reader.at + (isLong ? 3 : 1)
  const end = isLong ? (quote === '"' ? /"""("{0,2})(?!")/y : /'''('{0,2})(?!')/y) : undefined
  for (let at = start; at < reader.text.length; at++) {
    const sign = reader.text[at]
    if (sign === '\\' && quote === '"') {
      at += 1
    } else if (sign === '\n' && !isLong) {
      break
    } else if (sign === quote) {
      if (end) {
        end.lastIndex = at
      }
      const closing = end ? end.exec(reader.text) : [quote, '']
      if (closing) {
        reader.at = at + (closing[0]?.length ?? 0)
        const raw = reader.text.slice(start, at) + (closing[1] ?? '')
        const text = isLong ? raw.replace(/^\n/, '') : raw
        return quote === '"' ? unescaped(reader, text) : text
      }
    }
  }
  throw fault(reader, 'a text does not end')
}

function unescaped(reader: Reader, text: string): string {
  return text.replace(
    /\\(?:[ \t]*\n\s*|u([\da-fA-F]{4})|U([\da-fA-F]{8})|x([\da-fA-F]{2})|(.)|$)/g,
    (whole, four, eight, two, sign) => {
      const code = Number.parseInt(four ?? eight ?? two ?? '', 16)
      if (!Number.isNaN(code) && code <= 0x10ffff) {
        return String.fromCodePoint(code)
      }
      const known = sign === undefined ? undefined : ESCAPES[sign]
      if (known === undefined && !whole.includes('\n')) {
        throw fault(reader, `"${whole}" is no escape`)
      }
      return known ?? ''
    },
  )
}
