/** Slugs that projects of a repository were given: a new folder never gets the link of an old one. */
export interface NotebookSlugTable {
  repository_id: string
  /** From the root of the repository; `.` is the root. */
  folder: string
  slug: string
}
