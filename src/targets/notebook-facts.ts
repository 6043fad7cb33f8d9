import type { NotebookBase } from '#commands/notebook-data.ts'

/** What images of notebooks may be made of, as the administrator has set it up. */
export interface NotebookFacts {
  /** The first that has what a project asks for is taken. */
  readonly bases: readonly NotebookBase[]
  /** Beginnings of addresses that packages may come from though they are inside, or unprotected. */
  readonly allowed?: readonly string[]
  /** Day whose R packages are taken where a project names none. */
  readonly date?: string
  /** In front of the names of images in the registry. */
  readonly prefix?: string
  /** With the name of an app behind it: where a person gets in who has no link. */
  readonly openAt?: string
}
