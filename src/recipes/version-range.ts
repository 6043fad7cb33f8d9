type Version = readonly number[]

/** Whether a version of Python fits a list of conditions (`>=3.10,<4,!=3.11.*`); undefined when the list is none. */
export function fitsPythonRange(range: string, version: string): boolean | undefined {
  const have = partsOf(version)
  let fits = true
  for (const condition of range.split(',').map(each => each.trim())) {
    if (condition === '') {
      continue
    }
    const [, operator = '', number = '', star] =
      /^(~=|===?|!=|>=|<=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?$/.exec(condition) ?? []
    const test = PYTHON_OPERATORS[operator]
    if (!test) {
      return undefined
    }
    fits &&= test(have, partsOf(number), star !== undefined)
  }
  return fits
}

/** Whether a version of Julia fits one `[compat]` condition (`1.9`, `~1.6`, `=1.3`, `≥ 1.10`). */
export function fitsJuliaRange(condition: string, version: string): boolean {
  const text = condition.trim()
  const start = text.search(/\d/)
  if (start < 0) {
    return false
  }
  const have = partsOf(version)
  const want = partsOf(text.slice(start))
  switch (text.slice(0, start).trim()) {
    case '':
    case '^':
      return isWithin(have, want, afterCaret(want))
    case '~':
      return isWithin(have, want, afterTilde(want))
    case '=':
    case '==':
      return compare(have, want) === 0
    case '>=':
    case '≥':
      return compare(have, want) >= 0
    case '<=':
    case '≤':
      return compare(have, want) <= 0
    case '<':
      return compare(have, want) < 0
    case '>':
      return compare(have, want) > 0
    default:
      return false
  }
}

const PYTHON_OPERATORS: Readonly<
  Record<string, (have: Version, want: Version, anyEnding: boolean) => boolean>
> = {
  '==': (have, want, anyEnding) => (anyEnding ? begins(have, want) : compare(have, want) === 0),
  '===': (have, want, anyEnding) => (anyEnding ? begins(have, want) : compare(have, want) === 0),
  '!=': (have, want, anyEnding) => !(anyEnding ? begins(have, want) : compare(have, want) === 0),
  '>=': (have, want) => compare(have, want) >= 0,
  '<=': (have, want) => compare(have, want) <= 0,
  '>': (have, want) => compare(have, want) > 0,
  '<': (have, want) => compare(have, want) < 0,
  '~=': (have, want) => compare(have, want) >= 0 && begins(have, want.slice(0, -1)),
}

function partsOf(version: string): Version {
  return version.split('.').map(part => Number.parseInt(part, 10))
}

function compare(first: Version, second: Version): number {
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    const difference = (first[index] ?? 0) - (second[index] ?? 0)
    if (difference !== 0) {
      return difference
    }
  }
  return 0
}

function begins(version: Version, start: Version): boolean {
  return start.every((part, index) => (version[index] ?? 0) === part)
}

function isWithin(version: Version, least: Version, below: Version): boolean {
  return compare(version, least) >= 0 && compare(version, below) < 0
}

/** The first version that the caret leaves out: the first part that is not 0 may not grow. */
function afterCaret(want: Version): Version {
  const firstUsed = want.findIndex(part => part !== 0)
  const fixed = firstUsed < 0 ? want.length - 1 : firstUsed
  return raised(want, fixed)
}

/** The first version that the tilde leaves out: the last part may grow, but no part before the second. */
function afterTilde(want: Version): Version {
  if (want.length === 1) {
    return raised(want, 0)
  }
  const isPatchOnly = want.length > 2 && want[0] === 0 && want[1] === 0
  return raised(want, isPatchOnly ? 2 : 1)
}

function raised(version: Version, at: number): Version {
  return [...version.slice(0, at), (version[at] ?? 0) + 1]
}
