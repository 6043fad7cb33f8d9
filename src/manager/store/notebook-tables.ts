import type { Generated } from 'kysely'
import type { NotebookSlugTable } from './notebook-slug-table.ts'

/** What is told of notebook projects; conventions as in tables.ts. */
export interface NotebookTables {
  notebooks: NotebookTable
  notebook_links: NotebookLinksTable
  notebook_previews: NotebookPreviewTable
  notebook_slugs: NotebookSlugTable
  notebook_packages: NotebookPackagesTable
  notebook_moves: NotebookMoveTable
}

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
  /** preview: a page, and no server. building: its first deployment has not ended. */
  status: 'building' | 'live' | 'stopped' | 'failed' | 'removed' | 'preview'
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
  /** Why it has no server, or is to have none; null: it has one. */
  shown: Generated<'guessed' | 'static' | 'broken' | null>
}

/** How the links of a repository's notebooks were written last. */
interface NotebookLinksTable {
  repository_id: string
  /** JSON: LinksWritten; null: never. */
  written: string | null
  /** JSON of the error why they are not. */
  problem: string | null
}

/** The page of a notebook, by the Git id of its file: no notebook is rendered twice. Pictures of projects are here too. */
interface NotebookPreviewTable {
  /** Of a picture: `picture <app> <commit>`. */
  blob: string
  /** What it was made with; a newer one makes it anew. */
  rendering: number
  /** JSON, compressed, in base64; of a picture plain. */
  content: string
  made_at: number
}

/** What an environment resolved to, as the first server that ran in it told. */
interface NotebookPackagesTable {
  app_id: string
  /** Key of its image: equal keys are the same packages. */
  environment: string
  /** JSON: NotebookPackages; null: its own tool cannot tell. */
  packages: string
  read_at: number
}

/** Where a notebook was found before it got another slug. Who asks there is led to where it is now. */
export interface NotebookMoveTable {
  /** The slug that it had. */
  from_app: string
  /** The slug that it has now. */
  to_app: string
  /** Name of the worker whose proxy answered for it. */
  host: string
  /** JSON: names of hosts. */
  hosts: string
  /** The part of those hosts that it had; null: all of them. */
  prefix: string | null
  /** ms since 1970; in the past: it has ended. */
  until: number
  /** JSON: what the worker was told last; null: nothing. */
  told: Generated<string | null>
  told_at: Generated<number | null>
}
