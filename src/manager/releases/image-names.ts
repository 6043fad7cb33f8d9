import { isEnvironmentKey, parseReference } from '#formats/image-reference.ts'

const IMAGE_ID = /^sha256:[0-9a-f]{64}$/
const BETWEEN_WORDS = /[\s"'`,;=<>{}[\]()]+/

/**
 * Whatever looks like the name, digest or id of an image in a value, however deep: so it holds for every kind of app.
 * A word too many keeps an image too many.
 */
export function imageNamesIn(value: unknown): ReadonlySet<string> {
  const found = new Set<string>()
  walk(value, found)
  return found
}

function walk(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    for (const name of value.split(BETWEEN_WORDS).flatMap(preciseNames)) {
      found.add(name)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.entries(value).flat()) {
      walk(each, found)
    }
  }
}

/**
 * With a tag or a digest, or the id of an image: a bare name could be any word. A digest counts under every name. Of the
 * environment of a notebook releases and plans say only the key.
 */
function preciseNames(word: string): readonly string[] {
  if (!/[:@]/.test(word)) {
    return isEnvironmentKey(word) ? [word] : []
  }
  const { tag, digest } = parseReference(word) ?? {}
  return [...(IMAGE_ID.test(word) || tag || digest ? [word] : []), ...(digest ? [digest] : [])]
}
