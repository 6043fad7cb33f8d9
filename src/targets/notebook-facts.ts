import type { RegistryData } from '#commands/image-data.ts'
import type { NotebookBase } from '#commands/notebook-data.ts'
import type { NotebookLimits } from './notebook-limits.ts'

/** What images of notebooks may be made of, as the administrator has set it up. */
export interface NotebookFacts {
  /** The first that has what a project asks for is taken. */
  readonly bases: readonly NotebookBase[]
  /** Beginnings of addresses that packages may come from though they are inside, or unprotected. */
  readonly allowed?: readonly string[]
  /** Day whose R packages are taken where a project names none. */
  readonly date?: string
  /** Where base images are fetched from besides the registry of the apps. */
  readonly registries?: readonly RegistryData[]
  /** The most that a project may ask for. */
  readonly limits?: NotebookLimits
  /** In front of the names of images in the registry. */
  readonly prefix?: string
  /** host: each has a host of its own; path: those share one whose project says that it may. Default: host. */
  readonly mode?: 'host' | 'path'
  /** The host that they share; default: `notebooks.` before the base domain. */
  readonly host?: string
  /** With the name of an app behind it: where a person gets in who has no link. */
  readonly openAt?: string
}
