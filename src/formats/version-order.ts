/** What a tag such as `v1.4.0-rc.1` says as a version. */
interface Version {
  readonly core: readonly bigint[]
  /** Identifiers of a pre-release; none for a release. */
  readonly pre: readonly string[]
}

/** Two numbers do as well: `v1` and `1.4` are versions to people, and tags that move along. */
const VERSION = /^v?(\d{1,40}(?:\.\d{1,40})*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/

/**
 * Orders versions as Semantic Versioning 2.0.0 does (section 11), so that `1.0.0-rc.1` comes before `1.0.0`. What is no
 * such version comes before all that are. Never 0 for different texts: the same tags give the same version each time.
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [versionOf(a), versionOf(b)]
  if (!first || !second) {
    return first ? 1 : second ? -1 : compareTexts(a, b)
  }
  return (
    compareLists(first.core, second.core, 0n) ||
    comparePre(first.pre, second.pre) ||
    // Of `v1`, `v1.0` and `v1.0.0` the last is the one that does not move.
    first.core.length - second.core.length ||
    compareTexts(a, b)
  )
}

function versionOf(text: string): Version | undefined {
  const [, core, pre] = VERSION.exec(text) ?? []
  return core === undefined
    ? undefined
    : { core: core.split('.').map(BigInt), pre: pre === undefined ? [] : pre.split('.') }
}

function compareLists(a: readonly bigint[], b: readonly bigint[], absent: bigint): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [one, other] = [a[index] ?? absent, b[index] ?? absent]
    if (one !== other) {
      return one < other ? -1 : 1
    }
  }
  return 0
}

/** A release is higher than all of its pre-releases; of two of these the first identifier that differs decides. */
function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) {
    return b.length - a.length
  }
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareIdentifiers(a[index] ?? '', b[index] ?? '')
    if (order !== 0) {
      return order
    }
  }
  return a.length - b.length
}

/** Numbers by their value and below words, words by their letters. */
function compareIdentifiers(a: string, b: string): number {
  const [one, other] = [a, b].map(text => /^\d+$/.test(text))
  if (one && other) {
    return compareLists([BigInt(a)], [BigInt(b)], 0n)
  }
  return one === other ? comparePlain(a, b) : one ? -1 : 1
}

function comparePlain(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareTexts(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || comparePlain(a, b)
}
