import { withTag } from '#formats/image-reference.ts'

/**
 * Apps of the images that services run, of those that the same tree describes: they are built first. A tag with a
 * variable may mean any image of its name.
 */
export function usedImages(
  references: readonly string[],
  images: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set(references.flatMap(reference => appsOf(reference, images)))]
}

function appsOf(reference: string, images: ReadonlyMap<string, string>): readonly string[] {
  const name = nameBeforeVariable(reference)
  if (name === undefined) {
    return [images.get(withTag(reference)) ?? []].flat()
  }
  return [...images].filter(([image]) => withoutTag(image) === name).map(([, app]) => app)
}

/** Undefined where the tag is written out, and where the name itself has a variable: nothing is known of that one. */
function nameBeforeVariable(reference: string): string | undefined {
  return /^([^$@]+):[^/$:@]*\$[^/]*$/.exec(reference)?.[1]
}

/** A colon in front of the last slash belongs to the port. */
function withoutTag(reference: string): string {
  return reference.replace(/:[^/:]*$/, '')
}
