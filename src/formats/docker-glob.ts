/** One pattern of a .dockerignore, ready to be asked. */
export interface Glob {
  matches(path: string): boolean
}

type Token =
  | { readonly kind: 'sign'; readonly fits: (sign: string) => boolean }
  /** Any number of signs but no slash. */
  | { readonly kind: 'star' }
  /** Nothing, or any folders with the slash after them. */
  | { readonly kind: 'folders' }
  /** Anything to the end. */
  | { readonly kind: 'rest' }

const SPECIAL = /[*?[\]\\]/

/** No sign of it has a meaning of its own. */
export function isPlain(pattern: string): boolean {
  return !SPECIAL.test(pattern)
}

/**
 * A pattern as Docker reads it (Go's filepath.Match and `**`), or undefined when it is malformed.
 * Matching follows all possibilities at once instead of trying one after the other: a pattern comes from a stranger's
 * repository, and a regular expression of many stars would let it keep the worker busy for hours.
 */
export function compileGlob(pattern: string): Glob | undefined {
  if (isPlain(pattern)) {
    return { matches: path => path === pattern }
  }
  if (pattern.startsWith('**') && isPlain(pattern.slice(2))) {
    const end = pattern.slice(2)
    return { matches: path => path.endsWith(end) || `/${path}` === end }
  }
  const tokens = tokensOf([...pattern])
  return tokens && { matches: path => matchesAll(tokens, path) }
}

function tokensOf(signs: readonly string[]): Token[] | undefined {
  const tokens: Token[] = []
  let at = 0
  while (at < signs.length) {
    const sign = signs[at]
    if (sign === '*' && signs[at + 1] === '*') {
      at += signs[at + 2] === '/' ? 3 : 2
      tokens.push({ kind: at >= signs.length ? 'rest' : 'folders' })
    } else if (sign === '*') {
      at++
      tokens.push({ kind: 'star' })
    } else if (sign === '[') {
      const found = classAt(signs, at + 1)
      if (!found) {
        return undefined
      }
      at = found.end
      tokens.push({ kind: 'sign', fits: found.fits })
    } else {
      const literal = sign === '\\' ? signs[++at] : sign
      if (literal === undefined) {
        return undefined
      }
      at++
      tokens.push({ kind: 'sign', fits: sign === '?' ? each => each !== '/' : each => each === literal })
    }
  }
  return tokens
}

interface SignClass {
  readonly fits: (sign: string) => boolean
  readonly end: number
}

/** `[abc]`, `[a-z]`, `[^a-z]`; a backslash takes the next sign as it is. */
function classAt(signs: readonly string[], start: number): SignClass | undefined {
  const negated = signs[start] === '^'
  const ranges: (readonly [string, string])[] = []
  let at = negated ? start + 1 : start
  const next = (): string | undefined => {
    const sign = signs[at++]
    if (sign === '\\') {
      return signs[at++]
    }
    return sign === '-' || sign === ']' ? undefined : sign
  }
  while (ranges.length === 0 || signs[at] !== ']') {
    const from = next()
    let to = from
    if (signs[at] === '-') {
      at++
      to = next()
    }
    if (from === undefined || to === undefined) {
      return undefined
    }
    ranges.push([from, to])
  }
  const isIn = (sign: string) => ranges.some(([from, to]) => order(from, sign) <= 0 && order(sign, to) <= 0)
  return { fits: negated ? sign => !isIn(sign) : isIn, end: at + 1 }
}

function order(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0)
}

/** Keeps the set of places in the pattern that the text so far can have led to; `inside` marks the middle of folders. */
function matchesAll(tokens: readonly Token[], path: string): boolean {
  let places = new Set<number>()
  let inside = new Set<number>()
  enter(tokens, places, 0)
  for (const sign of path) {
    const nextPlaces = new Set<number>()
    const nextInside = new Set<number>()
    for (const place of places) {
      const token = tokens[place]
      if (token?.kind === 'folders') {
        inside.add(place)
      } else if (token?.kind === 'rest' || (token?.kind === 'star' && sign !== '/')) {
        enter(tokens, nextPlaces, place)
      } else if (token?.kind === 'sign' && token.fits(sign)) {
        enter(tokens, nextPlaces, place + 1)
      }
    }
    for (const place of inside) {
      nextInside.add(place)
      if (sign === '/') {
        enter(tokens, nextPlaces, place + 1)
      }
    }
    places = nextPlaces
    inside = nextInside
  }
  return places.has(tokens.length)
}

/** Adds a place and those behind it that need no sign. */
function enter(tokens: readonly Token[], places: Set<number>, place: number): void {
  for (let at = place; !places.has(at); at++) {
    places.add(at)
    const kind = tokens[at]?.kind
    if (kind === undefined || kind === 'sign') {
      return
    }
  }
}
