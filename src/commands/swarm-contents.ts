import { type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import type { Hands } from './command.ts'
import { openFingerprints } from './host-key.ts'
import { SWARM_FILE_REFUSED } from './swarm-errors.ts'
import type { StackContents } from './swarm-model.ts'

/** What the swarm itself takes. */
const LARGEST = 500 * 1024
const LONGEST_NAME = 64
const SHORT = 12

export interface Contents {
  readonly secrets: StackContents
  readonly configs: StackContents
}

export interface ContentSource {
  readonly stack: string
  readonly model: Shape
  readonly checkout: string
  readonly variables: Readonly<Record<string, string>>
}

/**
 * What is in the secrets and configs of a stack. The swarm cannot change one, so the name says what is in it: with a key
 * of the host, because everybody who may look at the swarm sees the names.
 */
export async function readContents(hands: Hands, source: ContentSource): Promise<Contents> {
  const fingerprints = await openFingerprints(hands)
  const read = async (kind: 'secrets' | 'configs'): Promise<StackContents> => {
    const entries = Object.entries(shapeOf(source.model[kind])).map(async ([key, value]) => {
      const content = await contentOf(hands, {
        what: `${kind.slice(0, -1)} "${key}"`,
        value: shapeOf(value),
        source,
      })
      if (content === undefined) {
        return []
      }
      const print = fingerprints.of(`${kind} ${key}`, content).replace(/[^0-9a-f]/g, '')
      const prefix = `${source.stack}_${key}`.slice(0, LONGEST_NAME - SHORT - 1)
      return [[key, { name: `${prefix}-${print}`, content }] as const]
    })
    return Object.fromEntries((await Promise.all(entries)).flat())
  }
  return { secrets: await read('secrets'), configs: await read('configs') }
}

interface Wanted {
  readonly what: string
  readonly value: Shape
  readonly source: ContentSource
}

/** Undefined for one that somebody else made (only a trusting host lets a file name such a one). */
async function contentOf(hands: Hands, { what, value, source }: Wanted): Promise<string | undefined> {
  const variable = scalarText(value.environment)
  const file = scalarText(value.file)
  const content =
    variable === undefined
      ? (scalarText(value.content)?.replaceAll('$$', '$') ??
        (file === undefined ? undefined : await readFile(hands, { what, file, checkout: source.checkout })))
      : (source.variables[variable] ?? '')
  if (content !== undefined && Buffer.byteLength(content) > LARGEST) {
    throw SWARM_FILE_REFUSED(what, `it has more than ${LARGEST / 1024} kB`)
  }
  if (content === '') {
    throw SWARM_FILE_REFUSED(what, 'it is empty')
  }
  return content
}

interface Reading {
  readonly what: string
  readonly file: string
  readonly checkout: string
}

async function readFile(hands: Hands, { what, file, checkout }: Reading): Promise<string> {
  const path = file.replaceAll('$$', '$')
  const { text } = await hands.perform({
    kind: 'file',
    operation: 'read',
    path,
    maxBytes: 4 * LARGEST,
    within: checkout,
    read: found => found,
  })
  if (text === undefined) {
    throw SWARM_FILE_REFUSED(what, `"${path.split('/').at(-1)}" is not in the repository`)
  }
  if (text.includes('\uFFFD')) {
    throw SWARM_FILE_REFUSED(what, `"${path.split('/').at(-1)}" is not a text in UTF-8`)
  }
  return text
}
