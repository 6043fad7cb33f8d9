import { isReservedTag, parseReference } from '#formats/image-reference.ts'

/** A name that a build of ours gave, after what the image was made from. People's names for images never look so. */
export function isMadeName(name: string): boolean {
  return isReservedTag(parseReference(name)?.tag ?? '')
}
