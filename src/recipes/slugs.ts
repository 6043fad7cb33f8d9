import { createHash } from 'node:crypto'

export interface WantsSlug {
  /** From the root of the repository; empty for the root itself. */
  readonly folder: string
  /** What its nb.yaml asks for. */
  readonly asked?: string | undefined
}

export interface Slugs {
  readonly byFolder: ReadonlyMap<string, string>
  /** The way back: each slug stands for exactly one folder. */
  readonly bySlug: ReadonlyMap<string, string>
  /** Folders that ask for a slug that another one asked for. */
  readonly doubled: readonly { readonly folder: string; readonly slug: string; readonly holder: string }[]
}

const MAX = 40
const HASH = 6

/**
 * A name for each folder that can stand in a host name. What is asked for comes first, then what a folder had before
 * (`given`, by folder), so that a new folder never moves the link of an old one; the rest is made from the path, with
 * a hash of it where the name would say less than the path or is taken.
 */
export function slugsOf(
  projects: readonly WantsSlug[],
  { rootName, given = {} }: { readonly rootName: string; readonly given?: Readonly<Record<string, string>> },
): Slugs {
  const byFolder = new Map<string, string>()
  const bySlug = new Map<string, string>()
  const doubled: { folder: string; slug: string; holder: string }[] = []
  const take = (folder: string, slug: string) => {
    byFolder.set(folder, slug)
    bySlug.set(slug, folder)
  }
  const sorted = [...projects].sort((a, b) => (a.folder < b.folder ? -1 : 1))
  const had = (folder: string) => (Object.hasOwn(given, folder) ? given[folder] : undefined)
  // Of two that ask for the same, the one that has it keeps it.
  const byRight = sorted.toSorted(
    (a, b) =>
      Number(b.asked !== undefined && b.asked === had(b.folder)) -
      Number(a.asked !== undefined && a.asked === had(a.folder)),
  )
  for (const { folder, asked } of byRight) {
    const holder = asked === undefined ? undefined : bySlug.get(asked)
    if (asked !== undefined && holder === undefined) {
      take(folder, asked)
    } else if (asked !== undefined && holder !== undefined) {
      doubled.push({ folder, slug: asked, holder })
    }
  }
  const waiting = () => sorted.filter(({ folder }) => !byFolder.has(folder))
  for (const { folder } of waiting()) {
    const before = had(folder)
    if (before !== undefined && !bySlug.has(before)) {
      take(folder, before)
    }
  }
  const plain = waiting().map(({ folder }) => ({ folder, ...plainName(folder === '' ? rootName : folder) }))
  // Whose path is a slug as it stands has it before those whose path only becomes the same.
  for (const { folder, name, isWhole } of [
    ...plain.filter(each => each.isWhole && each.name === each.folder),
    ...plain.filter(each => !(each.isWhole && each.name === each.folder)),
  ]) {
    take(folder, isWhole && !bySlug.has(name) ? name : hashed(folder, name, bySlug))
  }
  return { byFolder, bySlug, doubled }
}

/** The path in small letters, digits and `-`; whole when nothing but slashes had to give way. */
function plainName(path: string): { readonly name: string; readonly isWhole: boolean } {
  const dashed = path.replaceAll('/', '-')
  const name = path
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return { name, isWhole: name === dashed && name.length <= MAX && name !== '' }
}

/** A longer piece of the hash where a shorter one is taken. */
function hashed(folder: string, name: string, taken: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256').update(folder).digest('hex')
  for (let length = HASH; ; length += 2) {
    const start = name.slice(0, MAX - length - 1).replace(/-+$/, '') || 'project'
    const slug = `${start}-${hash.slice(0, length)}`
    if (!taken.has(slug) || length > 30) {
      return slug
    }
  }
}
