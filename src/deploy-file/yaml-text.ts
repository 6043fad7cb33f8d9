import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml'
import type { Problem } from '#lib/errors.ts'

/** 500 apps of 500 bytes. The parser needs about a second for four times as much, and the manager does nothing else then. */
const MAX_BYTES = 256 * 1024
/** Far more than any deploy file has; the parser slows down with each level. */
const MAX_NESTING = 100
const MAX_ALIASES = 50
const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map(tag => `tag:yaml.org,2002:${tag}`),
)

/** A place in a YAML value: keys and indexes from the root. */
export type Path = readonly (string | number)[]

export interface YamlText {
  /** Plain data; undefined when the text has problems. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Line and column of a value, or of the key that leads to it; of the nearest thing around it when it is absent. */
  placeOf(path: Path, at: 'key' | 'value'): { readonly line: number; readonly column: number }
}

/** Reads YAML 1.2 and nothing else: no tags that make objects, no bombs, no duplicate keys. Never throws. */
export function readYaml(text: string): YamlText {
  const refused = refusedUnread(text)
  if (refused) {
    return { value: undefined, problems: [refused], placeOf: () => ({ line: 1, column: 1 }) }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    // Its own check takes time by the square of the number of keys (18 s for 50,000); ours is below.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  })
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const broken = document.errors.map(error => ({
    path: '',
    message: sentence(error),
    ...placeAt(error.pos[0]),
  }))
  const problems = broken.length > 0 ? broken : contentProblems(document, placeAt)
  return {
    ...(problems.length > 0 ? { value: undefined, problems } : plainData(document)),
    placeOf: (path, at) => placeAt(offsetOf(document, path, at)),
  }
}

/** What is not even given to the parser. */
function refusedUnread(text: string): Problem | undefined {
  const start = { path: '', line: 1, column: 1 }
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return { ...start, message: 'is larger than 256 KiB' }
  }
  if (text.startsWith('\uFEFF')) {
    return { ...start, message: 'begins with a byte order mark', expected: 'UTF-8 without a byte order mark' }
  }
  if (isNestedTooDeeply(text)) {
    return { ...start, message: TOO_DEEP }
  }
  const strange = /[\0\uFFFD]/.exec(text)
  if (!strange) {
    return undefined
  }
  const before = text.slice(0, strange.index).split('\n')
  const line = before.length
  const column = (before.at(-1)?.length ?? 0) + 1
  return { path: '', line, column, message: 'is not UTF-8 text', expected: 'UTF-8 (not UTF-16) without NUL' }
}

/** Brackets alone: those in texts count too, but no text has a hundred open ones. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > MAX_NESTING) {
      return true
    }
  }
  return false
}

const TOO_DEEP = 'is nested too deeply'

const SENTENCES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'is indented with a tab; YAML wants spaces',
  MULTIPLE_DOCS: 'holds a second YAML document after "---"; there may be one only',
  RESOURCE_EXHAUSTION: TOO_DEEP,
}

function sentence({ code, message }: { readonly code: string; readonly message: string }): string {
  return SENTENCES[code] ?? `is not YAML: ${message}`
}

type PlaceAt = (offset: number) => { readonly line: number; readonly column: number }

function contentProblems(document: Document.Parsed, placeAt: PlaceAt): Problem[] {
  const problems: Problem[] = []
  const add = (node: Node | null, message: string) =>
    problems.push({ path: '', message, ...placeAt(node?.range?.[0] ?? 0) })
  let aliases = 0
  try {
    visit(document, {
      Node(_key, node) {
        if (isAlias(node)) {
          aliases += 1
          if (aliases === MAX_ALIASES + 1) {
            add(node, `has more than ${MAX_ALIASES} aliases`)
          }
        } else if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
          add(node, `has a tag that is not allowed: ${node.tag.slice(0, 60)}`)
        }
      },
      Map(_key, map) {
        findDoubleKeys(map.items, add)
      },
    })
  } catch {
    // Only the depth of the nesting can make the visit fail.
    add(null, TOO_DEEP)
  }
  return problems
}

function findDoubleKeys(pairs: readonly Pair[], add: (node: Node | null, message: string) => void): void {
  const seen = new Set<string>()
  for (const { key } of pairs) {
    if (!isScalar(key)) {
      add(key as Node | null, 'has a key that is not a text')
      continue
    }
    const name = String(key.value)
    if (seen.has(name)) {
      add(key, `has the key "${name.slice(0, 60)}" twice`)
    }
    seen.add(name)
  }
}

function plainData(document: Document.Parsed): { value: unknown; problems: Problem[] } {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), problems: [] }
  } catch (error) {
    const message = `is not YAML that can be read: ${(error as Error).message}`
    return { value: undefined, problems: [{ path: '', message, line: 1, column: 1 }] }
  }
}

function offsetOf(document: Document.Parsed, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = document.contents?.range[0] ?? 0
  for (const [index, part] of path.entries()) {
    const inside = isAlias(node) ? node.resolve(document) : node
    const pair = isMap(inside)
      ? inside.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      : undefined
    if (pair) {
      offset = (pair.key as Node).range?.[0] ?? offset
      if (at === 'key' && index === path.length - 1) {
        return offset
      }
    }
    node = pair ? pair.value : isSeq(inside) ? inside.items[Number(part)] : undefined
    offset = (node as Node | null | undefined)?.range?.[0] ?? offset
  }
  return offset
}
