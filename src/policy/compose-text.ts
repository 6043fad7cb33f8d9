import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  YAMLError,
  type YAMLMap,
} from 'yaml'
import type { Finding, ModelPath, RawFinding } from './finding.ts'
import { pathText } from './finding.ts'
import { isShape, type Shape } from './shape.ts'

const MAX_BYTES = 1024 * 1024
/** Line breaks and characters with a meaning in YAML: what the time to parse grows with. */
const MAX_MARKS = 30_000
const MAX_ALIASES = 50

/** One Compose file as parsed, with what is needed to say where something stands in it. */
export interface ComposeFile {
  readonly file: string
  readonly model: Shape
  readonly place: (path: ModelPath) => Place
}

export interface Place {
  readonly depth: number
  readonly line: number
  readonly column: number
}

/** Reads plain YAML 1.2: no tags, no duplicate keys, few aliases, at most 1 MiB; anything else is a finding. */
export function readComposeText(file: string, text: string): ComposeFile | Finding {
  const unfit = unfitText(text)
  if (unfit) {
    return notPlain(file, unfit)
  }
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: true,
      // Checked below: the parser's own check takes minutes for a mapping of 100,000 keys.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    })
    const model = plainModel(document)
    return { file, model, place: path => placeIn(document, lines, path) }
  } catch (error) {
    return notPlain(file, error instanceof Error ? error.message : String(error), positionOf(error, lines))
  }
}

export function isFinding(value: ComposeFile | Finding): value is Finding {
  return 'rule' in value
}

/** Findings with the file and line that come nearest to their path. */
export function placeFindings(findings: readonly RawFinding[], files: readonly ComposeFile[]): Finding[] {
  return findings.map(({ path, ...finding }) => {
    let best: (Place & { file: string }) | undefined
    for (const { file, place } of files) {
      const found = place(path)
      if (!best || found.depth >= best.depth) {
        best = { file, ...found }
      }
    }
    const where = best && best.depth > 0 ? { file: best.file, line: best.line, column: best.column } : {}
    return { ...finding, path: pathText(path), ...where }
  })
}

function unfitText(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return 'it is larger than 1 MiB'
  }
  if (text.startsWith('\uFEFF')) {
    return 'it starts with a byte order mark'
  }
  if (text.includes('\0') || text.includes('\uFFFD')) {
    return 'it is not UTF-8 text'
  }
  if (/^%/m.test(text)) {
    return 'it has a directive (a line that begins with %), which other readers may understand otherwise'
  }
  if ((text.match(/[\n,:?\-[\]{}"'&*!]/g)?.length ?? 0) > MAX_MARKS) {
    return `it has more than ${MAX_MARKS} marks (line breaks, colons, commas, quotes, …)`
  }
  return undefined
}

function plainModel(document: Document.Parsed): Shape {
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem) {
    throw problem
  }
  let aliases = 0
  visit(document, (_, node) => {
    if (isAlias(node)) {
      aliases += 1
    } else if (isNode(node) && node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) {
      throw new Unplain(`the tag "${node.tag}" is not allowed`, node.range?.[0])
    }
    if (isMap(node)) {
      refuseTwice(node)
    }
  })
  if (aliases > MAX_ALIASES) {
    throw new Unplain(`it has more than ${MAX_ALIASES} aliases`)
  }
  const model: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
  if (!isShape(model)) {
    throw new Unplain('it is not a mapping of "services" and so on')
  }
  return model
}

function refuseTwice(map: YAMLMap): void {
  const seen = new Set<string>()
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : undefined
    if (name === undefined || seen.has(name)) {
      throw new Unplain(
        `the key "${name ?? '?'}" stands twice or is no text`,
        isNode(key) ? key.range?.[0] : undefined,
      )
    }
    seen.add(name)
  }
}

const PLAIN_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null', 'merge'].map(name => `tag:yaml.org,2002:${name}`),
)

class Unplain extends Error {
  readonly offset: number | undefined
  constructor(message: string, offset?: number) {
    super(message)
    this.offset = offset
  }
}

function positionOf(error: unknown, lines: LineCounter): { line: number; column: number } | undefined {
  const offset =
    error instanceof YAMLError ? error.pos[0] : error instanceof Unplain ? error.offset : undefined
  return offset === undefined ? undefined : at(lines, offset)
}

function notPlain(file: string, what: string, place = { line: 1, column: 1 }): Finding {
  return {
    rule: 'POL039',
    severity: 'error',
    path: file,
    message: `this is not a plain YAML file: ${what}.`,
    fix: 'Write plain UTF-8 YAML 1.2: unique keys, no tags, at most 50 aliases, at most 1 MiB.',
    file,
    ...place,
  }
}

function placeIn(document: Document.Parsed, lines: LineCounter, path: ModelPath): Place {
  let node: unknown = document.contents
  let offset = 0
  let depth = 0
  for (const part of path) {
    const step = stepInto(isAlias(node) ? node.resolve(document) : node, part)
    if (!step) {
      break
    }
    depth += 1
    offset = step.offset
    node = step.node
  }
  return { depth, ...at(lines, offset) }
}

function stepInto(node: unknown, part: string | number): { node: unknown; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(part))
    const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined
    return pair && offset !== undefined ? { node: pair.value, offset } : undefined
  }
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part]
    const offset = isNode(item) ? item.range?.[0] : undefined
    return offset === undefined ? undefined : { node: item, offset }
  }
  return undefined
}

function at(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}
