import { type Static, Type } from 'typebox'
import { Commit, Id, Name, Nullable, Page, PageQuery, strict, Time } from './fields.ts'
import { ErrorDocument } from './problem.ts'

export const NotebookDocument = Type.Object(
  {
    slug: Name,
    title: Type.String(),
    repository: Name,
    folder: Type.String({ description: 'From the root of the repository; "." is the root.' }),
    status: Type.Enum(['building', 'live', 'stopped', 'failed', 'removed', 'preview'], {
      description: 'preview: it has no server, and a page. building: its first deployment has not ended.',
    }),
    server: Type.Enum(['live', 'starting', 'failed', 'idle'], { description: 'As its badge says.' }),
    url: Nullable(
      Type.String({ description: 'Where it is opened; after a failure the last one that worked.' }),
    ),
    mode: Type.String(),
    language: Type.String(),
    tags: Type.Array(Type.String()),
    entry: Nullable(Type.String({ description: 'The notebook that is opened first.' })),
    notebooks: Type.Array(Type.Object({ path: Type.String(), preview: Type.String() }, strict)),
    commit: Nullable({ ...Commit, description: 'The commit that is served.' }),
    error: Nullable(Type.String({ description: 'Why the last deployment failed.' })),
    preview: Nullable(Type.String({ description: 'A static page; a browser is asked for a token.' })),
    thumbnail: Type.String({ description: 'A picture; it needs the same token.' }),
    badge: Type.String(),
    links: Type.Object(
      {
        outcome: Nullable(Type.Enum(['pushed', 'unchanged', 'disabled'])),
        branch: Nullable(Type.String({ description: 'Where its URL.md was written.' })),
        warnings: Type.Array(Type.String()),
        problem: Nullable(ErrorDocument),
      },
      { ...strict, description: 'How the URL.md files of its repository were written.' },
    ),
    updated_at: Time,
  },
  strict,
)
export type NotebookDocument = Static<typeof NotebookDocument>
export const NotebookPage = Page(NotebookDocument)

export const NotebookPackagesDocument = Type.Object(
  {
    release: Id,
    commit: Commit,
    environment: Type.String({ description: 'Key of its image: equal keys are the same packages.' }),
    tool: Nullable(Type.String({ description: 'What was asked; null: nothing is known of the packages.' })),
    read_at: Nullable(Time),
    packages: Type.Array(Type.String(), { description: 'As it printed them.' }),
    is_cut: Type.Boolean({ description: 'There were more.' }),
  },
  strict,
)
export type NotebookPackagesDocument = Static<typeof NotebookPackagesDocument>

export const NotebooksQuery = Type.Object(
  {
    search: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Words, each of which is in title, folder, slug or a tag.',
      }),
    ),
    repository: Type.Optional(Name),
    tag: Type.Optional(Type.String({ maxLength: 40 })),
    ...PageQuery,
  },
  strict,
)
