import { parse } from '@humanwhocodes/momoa'
import type { Problem } from '#lib/errors.ts'
import { isNestedTooDeeply, type Path, type YamlText } from './yaml-text.ts'

const MAX_CHARACTERS = 256 * 1024

type Node = ReturnType<typeof parse>['body']
type Member = Extract<Node, { type: 'Object' }>['members'][number]

interface Place {
  readonly line: number
  readonly column: number
}

const START: Place = { line: 1, column: 1 }

/** Reads JSON and knows afterwards where each value stands. JSON.parse names no line, and lets a key stand twice. */
export function readJson(text: string): YamlText {
  if (text.length > MAX_CHARACTERS) {
    return refused('is larger than 256 KiB', START)
  }
  if (isNestedTooDeeply(text)) {
    return refused('is nested too deeply', START)
  }
  try {
    const { body } = parse(text, { mode: 'json' })
    const double = doubleKey(body)
    if (double) {
      return refused(`has the key "${nameOf(double).slice(0, 60)}" twice`, placeOf(double))
    }
    // What the two read differently is refused.
    return {
      value: JSON.parse(text),
      problems: [],
      placeOf: (path, at) => placeOf(nodeAt(body, path, at)),
    }
  } catch (error) {
    const { message, line = 1, column = 1 } = error as Error & Partial<Place>
    return refused(`is not JSON: ${message.replace(/ \(\d+:\d+\)$/, '')}`, { line, column })
  }
}

function refused(message: string, { line, column }: Place): YamlText {
  const problem: Problem = { path: '', message, line, column }
  return { value: undefined, problems: [problem], placeOf: () => ({ line, column }) }
}

function doubleKey(node: Node): Member | undefined {
  switch (node.type) {
    case 'Array':
      return firstOf(node.elements.map(({ value }) => value))
    case 'Object': {
      const names = node.members.map(nameOf)
      const double = node.members.find((member, index) => names.indexOf(nameOf(member)) < index)
      return double ?? firstOf(node.members.map(({ value }) => value))
    }
    default:
      return undefined
  }
}

function firstOf(nodes: readonly Node[]): Member | undefined {
  for (const node of nodes) {
    const double = doubleKey(node)
    if (double) {
      return double
    }
  }
  return undefined
}

/** A value, or the member whose key leads to it; the nearest thing around it when it is absent. */
function nodeAt(root: Node, path: Path, at: 'key' | 'value'): Node | Member {
  let node = root
  for (const [index, part] of path.entries()) {
    const member =
      node.type === 'Object' ? node.members.find(each => nameOf(each) === String(part)) : undefined
    if (member && at === 'key' && index === path.length - 1) {
      return member
    }
    const next = node.type === 'Array' ? node.elements[Number(part)]?.value : member?.value
    if (!next) {
      return node
    }
    node = next
  }
  return node
}

function nameOf({ name }: Member): string {
  return name.type === 'String' ? name.value : name.name
}

function placeOf({ loc }: Node | Member): Place {
  return { line: loc.start.line, column: loc.start.column }
}
