/** Replaces secrets in text that leaves a host. One redactor serves one command or one deployment. */
export interface Redactor {
  /** Redacts one whole text. */
  text(value: string): string
  /** Redacts a stream: a secret split over two chunks is found too. Ended lines come out at once unless a secret may be in the making. */
  stream(): RedactedStream
  /** Adds values found later. */
  add(values: Iterable<string>): void
}

export interface RedactedStream {
  write(chunk: string): string
  /** What was held back. */
  end(): string
}

const MASK = '[redacted]'
/** Shorter values would mask ordinary words. */
const SHORTEST = 6
/** A token that a pattern finds is shorter: no more of a text without spaces is held back. */
const LONGEST_TOKEN = 4096
/** No more is held back in any case, so that a hostile output cannot make a stream grow. */
const LONGEST_HELD = 64 * 1024

const PATTERNS = new RegExp(
  [
    '(?<![a-z0-9])gh[pousr]_[a-z0-9]{36,}',
    '(?<![a-z0-9])github_pat_[a-z0-9_]{22,}',
    '(?<![a-z0-9])glpat-[a-z0-9_-]{20,}',
    '(?<![a-z0-9])ATCTT[a-z0-9_=-]{20,}',
    '\\b(?:Bearer|Basic)[ \\t]+[a-z0-9+/_.~-]{8,}=*',
    '(?<=://)[^\\s/:@]*:[^\\s/@]+(?=@)',
  ].join('|'),
  'gi',
)

/**
 * Knows each value raw, URL-encoded, base64 (alone or inside a longer text), JSON-escaped and shell-quoted, in any case.
 * Not reversed, compressed or otherwise transformed ones.
 */
export function createRedactor(values: Iterable<string> = []): Redactor {
  const known = new Set<string>()
  const forms = new Set<string>()
  const formsByFirst = new Map<string, string[]>()
  let expression: RegExp | undefined
  let longest = 0

  function add(more: Iterable<string>): void {
    for (const value of more) {
      if (!known.has(value)) {
        known.add(value)
        formsOf(value).map(folded).forEach(addForm)
      }
    }
  }

  function addForm(form: string): void {
    if (forms.has(form)) {
      return
    }
    forms.add(form)
    longest = Math.max(longest, form.length)
    expression = undefined
    const first = form.charAt(0)
    formsByFirst.set(first, [...(formsByFirst.get(first) ?? []), form])
  }

  function text(value: string): string {
    return masked(value, secretsIn(value))
  }

  function secretsIn(value: string): Span[] {
    if (!expression && forms.size > 0) {
      // The longest first, so that a value which contains another is masked whole.
      const sorted = [...forms].sort((a, b) => b.length - a.length)
      expression = new RegExp(sorted.map(escapeRegExp).join('|'), 'gi')
    }
    return merged([...spans(value, expression), ...spans(value, PATTERNS)])
  }

  function stream(): RedactedStream {
    let held = ''
    return {
      write(chunk) {
        const all = held + chunk
        const found = secretsIn(all)
        const cut = safeEnd(all, found)
        held = all.slice(cut)
        return masked(
          all.slice(0, cut),
          found.filter(span => span.to <= cut),
        )
      },
      end() {
        const rest = text(held)
        held = ''
        return rest
      },
    }
  }

  /** Up to where nothing that comes later can turn the text into a secret. */
  function safeEnd(all: string, found: readonly Span[]): number {
    const pending = Math.min(startOfToken(all), startOfForm(all))
    const across = found.find(span => span.from < pending && pending < span.to)
    const cut = across ? across.from : pending
    return all.length - cut > Math.max(LONGEST_HELD, longest) ? all.length : cut
  }

  /** Start of the longest end of the text with which a known value begins. */
  function startOfForm(all: string): number {
    const from = Math.max(0, all.length - longest + 1)
    const tail = folded(all.slice(from))
    for (let at = 0; at < tail.length; at++) {
      const rest = tail.slice(at)
      if (
        formsByFirst.get(tail.charAt(at))?.some(form => form.length > rest.length && form.startsWith(rest))
      ) {
        return from + at
      }
    }
    return all.length
  }

  add(values)
  return { text, stream, add }
}

interface Span {
  readonly from: number
  readonly to: number
}

function spans(value: string, expression: RegExp | undefined): Span[] {
  if (!expression) {
    return []
  }
  return Array.from(value.matchAll(expression), match => ({
    from: match.index,
    to: match.index + match[0].length,
  }))
}

function merged(all: readonly Span[]): Span[] {
  const out: Span[] = []
  for (const span of all.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last && span.from < last.to) {
      out[out.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    } else {
      out.push(span)
    }
  }
  return out
}

function masked(value: string, found: readonly Span[]): string {
  let out = ''
  let at = 0
  for (const span of found) {
    out += value.slice(at, span.from) + MASK
    at = span.to
  }
  return at === 0 ? value : out + value.slice(at)
}

/** Start of the unfinished last word (with `Bearer ` before it): a pattern may still find a token in it. */
function startOfToken(all: string): number {
  const earliest = Math.max(0, all.length - LONGEST_TOKEN)
  let at = all.length
  while (at > earliest && !/\s/.test(all.charAt(at - 1))) {
    at--
  }
  const scheme = /\b(?:Bearer|Basic)[ \t]+$/i.exec(all.slice(Math.max(0, at - 64), at))
  return scheme ? at - scheme[0].length : at
}

function formsOf(value: string): string[] {
  if (value.length < SHORTEST) {
    return []
  }
  const json = JSON.stringify(value).slice(1, -1)
  const url = encodeURIComponent(value.toWellFormed())
  const forms = [
    value,
    url,
    url.replace(/[!'()*]/g, strictlyEncoded),
    url.replaceAll('%20', '+'),
    json,
    // Go, and with it Docker, writes these three as escapes in JSON.
    json.replace(/[<>&]/g, sign => `\\u00${sign.charCodeAt(0).toString(16)}`),
    value.replaceAll("'", "'\\''"),
    ...base64Forms(value),
  ]
  const lines = value.split(/\r?\n/).filter(line => line.length >= 16)
  return lines.length > 1 ? [...forms, ...lines] : forms
}

function base64Forms(value: string): string[] {
  const forms: string[] = []
  for (const before of ['', '\0', '\0\0']) {
    // A value inside a longer base64 text (user:token) starts at any of three offsets; drop the characters that mix with its neighbours.
    const bytes = Buffer.from(before + value)
    const base64 = bytes.toString('base64').replace(/=+$/, '')
    const start = before.length === 0 ? 0 : before.length + 1
    const end = bytes.length % 3 === 0 ? base64.length : base64.length - 1
    if (end - start >= SHORTEST) {
      const pure = base64.slice(start, end)
      forms.push(pure, pure.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }
  return forms
}

function strictlyEncoded(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16)}`
}

/** In lower case, of the same length: positions in it are positions in the text. */
function folded(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
