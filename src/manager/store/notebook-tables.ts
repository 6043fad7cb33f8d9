/** What is told of notebook projects; conventions as in tables.ts. */

/** The last that is known of a project. It is told of once more when its app is gone. */
export interface NotebookTable {
  /** Its name, which is the slug of the project. */
  app: string
  repository_id: string
  /** From the root of the repository; `.` is the root. */
  folder: string
  title: string
  /** From the folder: the notebook that is opened first. */
  entry: string | null
  /** JSON: paths from the folder. */
  notebooks: string
  language: string
  /** JSON: texts. */
  tags: string
  mode: string
  status: 'live' | 'failed' | 'removed'
  url: string | null
  /** The commit that is served: the last one that changed anything of it. */
  commit: string | null
  /** Key of what is served. */
  tree: string | null
  image: string | null
  /** Why the last deployment failed, on one line. */
  error: string | null
  /** The newest commit that its notebooks were seen in. */
  seen_commit: string
  /** JSON: Git ids of the notebooks in that commit; null: nobody has asked yet. */
  blobs: string | null
  updated_at: number
}

/** How the links of a repository's notebooks were written last. */
export interface NotebookLinksTable {
  repository_id: string
  /** JSON: LinksWritten; null: never. */
  written: string | null
  /** JSON of the error why they are not. */
  problem: string | null
}

/** The page of a notebook, by the Git id of its file: no notebook is rendered twice. Pictures of projects are here too. */
export interface NotebookPreviewTable {
  /** Of a picture: `picture <app> <commit>`. */
  blob: string
  /** What it was made with; a newer one makes it anew. */
  rendering: number
  /** JSON, compressed, in base64; of a picture plain. */
  content: string
  made_at: number
}
