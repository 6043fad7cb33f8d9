/** A file of a commit, as `git ls-tree -r` lists it. */
export interface TreeFile {
  /** From the root of the repository; in a project, from its folder. */
  readonly path: string
  /** 100644, 100755, 120000 (a link) or 160000 (a submodule). */
  readonly mode: string
  /** The id of its content. */
  readonly oid: string
  readonly size?: number
}

/** A folder that holds notebooks, a marker or files that say what is needed. */
export interface TreeFolder {
  readonly path: string
  readonly parent: TreeFolder | undefined
  /** Directly in it, from the root of the repository. */
  readonly notebooks: string[]
  /** nb.yaml or nb.yml. */
  marker?: string
  /** It has a file, or a folder binder, that says what its notebooks need. */
  isConfigured: boolean
  /** It holds the tests or the documentation of the package above it. */
  readonly isBesidePackage: boolean
  /** It or one above it says that nothing in it is of interest. */
  isHidden: boolean
}
