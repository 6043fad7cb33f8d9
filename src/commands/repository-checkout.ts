import { join } from 'node:path'
import type { Static } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { checkoutInto, type ToleratedFinding } from '#programs/git.ts'
import type { GitRemote } from '#programs/git-access.ts'
import { checkedBranch } from '#programs/git-names.ts'
import type { TreeEntry } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import { foldersOf, isTemporary, type RepositoryFolders, temporaryName } from './repository-folders.ts'
import { type JoinedSource, joinRemotes, type RemoteSource } from './repository-join.ts'
import { list, makeFolder, mendMirror, remove, rename } from './repository-mirror.ts'
import { nameRemote, openRemote, type RemoteData } from './repository-remote.ts'
import { DEFAULT_LIMITS, findSource, type Search, type Source } from './repository-source.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'
import { together } from './together.ts'

export interface CheckoutData extends RemoteData {
  readonly repository: string
  readonly branch: string
  readonly commit?: string
  readonly known?: string
  readonly texts: readonly string[]
  readonly tolerate?: readonly ToleratedFinding[]
  readonly remotes?: readonly Static<typeof RemoteSource>[]
  readonly limits?: { readonly files?: number; readonly bytes?: number }
}

export interface CheckedOut extends Source, Partial<Pick<JoinedSource, 'checkout' | 'remotes'>> {
  readonly texts: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

const LARGEST_ATTRIBUTES = 64 * 1024
/** Containers that mount a file of a checkout run as users of their own. */
const READABLE = 0o755

/** Brings the wanted commit into the mirror, publishes its files as an immutable folder, and reads texts of it. */
export async function checkOut(hands: Hands, data: CheckoutData): Promise<CheckedOut> {
  const { branch, commit, known, tolerate = [] } = data
  const named = nameRemote(hands, data)
  let opened: Promise<GitRemote> | undefined
  const search: Search = {
    hands,
    folders: foldersOf(hands.host.workspace, data.repository),
    branch: checkedBranch(branch),
    commit,
    known,
    limits: { ...DEFAULT_LIMITS, ...data.limits },
    tolerate,
    remote: () => {
      opened ??= openRemote(hands, named)
      return opened
    },
  }
  try {
    return await attempt(search, data)
  } catch (error) {
    if ((await mendMirror(hands, search.folders, error)) === 'nothing') {
      throw error
    }
    hands.say(`${asFairleadError(error).message} Mended, and trying again.`, 'info')
    return attempt(search, data)
  }
}

async function attempt(
  search: Search,
  { texts: wanted, remotes = [] }: Pick<CheckoutData, 'texts' | 'remotes'>,
): Promise<CheckedOut> {
  const { hands, folders, branch } = search
  const [{ names = [] }, own] = await together([hands.perform(list(folders.checkouts)), findSource(search)])
  const source: Omit<CheckedOut, 'texts' | 'warnings'> =
    remotes.length === 0 ? own : await joinRemotes(search, own, remotes)
  const files = chooseFiles(source.entries, wanted)
  const attributes = source.entries.find(isSmallAttributes)
  const [read] = await together([
    readTexts(hands, folders.mirror, attributes ? [...files, attributes] : files),
    publish(hands, folders, { commit: source.checkout ?? source.facts.commit, names }),
  ])
  const texts = Object.fromEntries(files.map(file => [file.path, read[file.path] ?? '']))
  const warnings = warningsFor(source.entries, attributes ? read[attributes.path] : '')
  const { commit, subject } = source.facts
  hands.say(
    `${branch}: ${commit.slice(0, 12)} ${JSON.stringify(subject)}, ${source.entries.length} files`,
    'info',
  )
  for (const warning of warnings) {
    hands.say(`Warning: ${warning}`, 'info')
  }
  return { ...source, texts, warnings }
}

function isSmallAttributes({ path, kind, bytes }: TreeEntry): boolean {
  return path === '.gitattributes' && kind === 'file' && bytes <= LARGEST_ATTRIBUTES
}

/** Gives the files of a commit their folder, once; a folder that has its name is complete. */
async function publish(
  hands: Hands,
  { mirror, checkouts }: RepositoryFolders,
  { commit, names }: { readonly commit: string; readonly names: readonly string[] },
): Promise<void> {
  // Commands of one repository run one after another, so what is temporary now was left by one that died.
  await Promise.all(names.filter(isTemporary).map(name => hands.perform(remove(join(checkouts, name)))))
  if (names.includes(commit)) {
    return
  }
  const temporary = join(checkouts, temporaryName(newId()))
  const folder = join(temporary, 'files')
  try {
    await hands.perform(makeFolder(folder, READABLE))
    await hands.perform(checkoutInto(mirror, commit, { folder, index: join(temporary, 'index') }))
    await hands.perform(rename(folder, join(checkouts, commit)))
  } finally {
    await hands.perform(remove(temporary))
  }
}

/** What a person would otherwise find out from a workload that does not work. */
function warningsFor(entries: readonly TreeEntry[], attributes = ''): string[] {
  const submodules = entries.filter(entry => entry.kind === 'submodule').map(entry => entry.path)
  const links = entries.filter(entry => entry.kind === 'link').map(entry => entry.path)
  return [
    ...(/\bfilter=lfs\b/.test(attributes)
      ? [
          'The repository uses Git LFS. Its large files are not fetched: the checkout has their pointer files.',
        ]
      : []),
    ...(submodules.length > 0
      ? [`Submodules are not fetched, their folders are empty: ${someOf(submodules)}.`]
      : []),
    ...(links.length > 0
      ? [`Symbolic links are not followed, they are plain files in the checkout: ${someOf(links)}.`]
      : []),
  ]
}

function someOf(paths: readonly string[]): string {
  const shown = paths.slice(0, 5).map(path => JSON.stringify(path.slice(0, 100)))
  return paths.length > shown.length
    ? `${shown.join(', ')} and ${paths.length - shown.length} more`
    : shown.join(', ')
}
