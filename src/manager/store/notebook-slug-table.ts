import type { Generated } from 'kysely'

/** Slugs that projects of a repository were given: a new folder never gets the link of an old one. */
export interface NotebookSlugTable {
  repository_id: string
  /** From the root of the repository; `.` is the root. */
  folder: string
  slug: string
  /** Of the files that it had in the newest commit: where they are found again, it has moved. */
  content: Generated<string | null>
}
