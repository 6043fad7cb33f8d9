import type { Problem } from '#lib/errors.ts'
import type { ConventionFile } from './convention-files.ts'
import type { ReadApp } from './parse.ts'

/** The files that an app comes from, when their names describe it. */
export interface AppFiles {
  readonly kind: 'image' | 'stack' | 'notebook'
  /** As the files call it: what the actions of commit messages name. */
  readonly name: string
  /** Those that say what it is. */
  readonly paths: readonly string[]
  /** Apps whose images it runs. */
  readonly uses: readonly string[]
  /** Other repositories whose files it takes. */
  readonly remotes?: readonly RemoteRepository[]
  /** Equal while nothing of it changed; undefined: only Git can tell. */
  readonly fingerprint?: string
  /** Of a notebook project: the name of all that it ships, wherever it lies. */
  readonly content?: string
}

/** A repository beside the one that describes an app. Its name is that of its folder in the checkout. */
export interface RemoteRepository {
  readonly name: string
  readonly url: string
  /** Default: the default branch of its server. */
  readonly branch?: string
  /** Name of the secret of the app that opens it. */
  readonly credential?: string
  /** Lines of a known_hosts file. */
  readonly knownHosts?: string
}

/** What the names of a tree's files describe. */
export interface Convention {
  /** Valid and not switched off; images first. */
  readonly apps: readonly ReadApp[]
  readonly problems: readonly Problem[]
  /** Every app that a file is about, by its name: also those that are switched off or broken. */
  readonly entries: ReadonlyMap<string, ConventionEntry>
}

export interface ConventionEntry {
  /** A part is a Compose file that was a stack by itself, until another file made it one of its own. */
  readonly state: 'described' | 'disabled' | 'broken' | 'part'
  readonly kind: Candidate['kind']
  readonly problems: readonly Problem[]
  /** Of a broken stack: its Compose files, where it is certain which these are. */
  readonly composes?: readonly string[] | undefined
}

/** One app before its files were read. */
export interface Candidate {
  readonly kind: Exclude<AppFiles['kind'], 'notebook'>
  readonly name: string
  readonly suffix?: string | undefined
  /** The one that is about it alone: its own JSON file, else its Compose file or Dockerfile. */
  readonly file: ConventionFile
}

/** What describing an app needs of the tree. */
export interface Shelf {
  /** Of all files, also of those whose text could not be read. */
  readonly paths: ReadonlySet<string>
  readonly texts: Readonly<Record<string, string>>
  /** The only file of a kind and name; undefined when there is none, or several. */
  only(kind: ConventionFile['kind'], name: string): ConventionFile | undefined
  /**
   * Path of the only file of a kind and name of another repository, else of this one. Before the other one was fetched,
   * where it may be.
   */
  far(repository: string, kind: 'compose' | 'dockerfile', name: string): string | undefined
  /** Paths of those that are there more than once. */
  readonly doubles: ReadonlySet<string>
  /** Apps of the images that were described already, by reference. */
  readonly images: Map<string, string>
}

export type Described =
  | { readonly state: 'described'; readonly app: Omit<ReadApp, 'name'> }
  | { readonly state: 'disabled' }
  | {
      readonly state: 'broken'
      readonly problems: readonly Problem[]
      readonly composes?: readonly string[] | undefined
    }
