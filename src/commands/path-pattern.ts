/**
 * Whether a path fits a pattern: `*` and `?` stand for characters of one part, `**` for any number of parts. Takes time
 * proportional to the lengths, whatever a hostile repository calls its files.
 */
export function pathFits(path: string, pattern: string): boolean {
  return sequenceFits(path.split('/'), pattern.split('/'), {
    isAny: part => part === '**',
    fits: (part, wanted) => sequenceFits([...part], [...wanted], CHARACTERS),
  })
}

/** The parts of a pattern before the first one with a wildcard. */
export function fixedPartsOf(pattern: string): readonly string[] {
  const parts = pattern.split('/')
  const wild = parts.findIndex(part => /[*?]/.test(part))
  return wild < 0 ? parts : parts.slice(0, wild)
}

export function isPattern(text: string): boolean {
  return /[*?]/.test(text)
}

interface Fit {
  readonly isAny: (wanted: string) => boolean
  readonly fits: (item: string, wanted: string) => boolean
}

const CHARACTERS: Fit = {
  isAny: wanted => wanted === '*',
  fits: (character, wanted) => wanted === '?' || character === wanted,
}

/** Goes back only to the last wildcard: an earlier one cannot do better than it already did. */
function sequenceFits(items: readonly string[], wanted: readonly string[], how: Fit): boolean {
  let item = 0
  let want = 0
  let anyAt = -1
  let itemAtAny = 0
  while (item < items.length) {
    const next = wanted[want]
    if (next !== undefined && how.isAny(next)) {
      anyAt = want
      itemAtAny = item
      want += 1
    } else if (next !== undefined && how.fits(items[item] ?? '', next)) {
      item += 1
      want += 1
    } else if (anyAt >= 0) {
      itemAtAny += 1
      item = itemAtAny
      want = anyAt + 1
    } else {
      return false
    }
  }
  return wanted.slice(want).every(how.isAny)
}
