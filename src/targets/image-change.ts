import type { Change } from './target.ts'

/** An image as people compare it: the first characters of its id or digest. */
export function shortImage(name: string): string {
  const [, hex] = /sha256:([0-9a-f]{12})[0-9a-f]*$/.exec(name) ?? []
  return hex === undefined ? name : `sha256:${hex}`
}

/** What is known of an image that is to run. */
export interface NextImage {
  readonly localImageId?: string | undefined
  /** Where it is neither here nor in the registry it has no id yet. */
  readonly registryDigest?: string | undefined
}

/** Nothing when the same image runs on. */
export function imageChange(what: string, from: string | undefined, next: NextImage): Change[] {
  const { localImageId, registryDigest } = next
  const to =
    localImageId ?? (registryDigest ? `${shortImage(registryDigest)} of the registry` : 'will be built')
  return from === undefined || from === to
    ? []
    : [{ kind: 'image', what, from: shortImage(from), to: shortImage(to) }]
}
