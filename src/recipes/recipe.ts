import type { Diagnostic } from './diagnostic.ts'
import type { Language, Pack } from './packs.ts'
import type { StrictPack } from './strict.ts'
import type { TreeFile } from './tree.ts'

/** How the image of a project is made: pure data, the same for the same files. */
export interface Recipe {
  readonly pack: Pack
  /** What repo2docker would have chosen; undefined where it refuses. */
  readonly strictPack: StrictPack | undefined
  readonly language: Language
  readonly versions: {
    readonly python?: string
    readonly r?: string
    readonly rDate?: string
    readonly julia?: string
  }
  /** With its digest. Empty when a Dockerfile of the project's own is built. */
  readonly base: string
  /** Debian packages, sorted. */
  readonly apt: readonly string[]
  /** Written below `deps/` of the build context. */
  readonly files: readonly DependencyFile[]
  /** Copied below `deps/` from the project. */
  readonly folders: readonly DependencyFolder[]
  /** What happens before the project's files are there. */
  readonly environment: Stage
  /** What happens when they are: with a step here every change of a file needs a build. */
  readonly project: Stage
  /** Shipped to the destination, from the project's folder. */
  readonly content: { readonly files: readonly TreeFile[]; readonly destination: string }
  /** Files that decide about the environment, as far as the project has them. */
  readonly inputs: readonly string[]
  readonly warnings: readonly Diagnostic[]
}

export interface Stage {
  /** In force while the steps run and afterwards. */
  readonly variables: Readonly<Record<string, string>>
  /** In force afterwards. */
  readonly lateVariables: Readonly<Record<string, string>>
  /** Folders that come first in PATH. */
  readonly path: readonly string[]
  readonly steps: readonly Step[]
}

export interface DependencyFile {
  /** From deps/. */
  readonly path: string
  readonly content: string
}

export interface DependencyFolder {
  /** From deps/. */
  readonly to: string
  /** `path` in the folder that is made, `from` in the project. */
  readonly files: readonly (TreeFile & { readonly from: string })[]
}

export type Step = CopyStep | RunStep

/** A folder of `deps/` that stays in the image. */
export interface CopyStep {
  readonly kind: 'copy'
  readonly from: string
  readonly to: string
}

export interface RunStep {
  readonly kind: 'run'
  readonly what: string
  readonly arguments: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  /** A folder of `deps/` that is at DEPENDENCIES while the step runs. */
  readonly sees?: string
  readonly cache?: Cache
  readonly folder?: string
}

/** A folder that later builds find again; without such caches the variables of `without` are set. */
export interface Cache {
  readonly id: string
  readonly variable: string
  readonly folder: string
  /** Builds take turns with it. */
  readonly isLocked?: boolean
  readonly without: Readonly<Record<string, string>>
}

/** Where a step finds the folder of `deps/` that it sees. */
export const DEPENDENCIES = '/tmp/nb-deps'
/** Where a project's files lie in its image. */
export const PROJECT = '/srv/project'
