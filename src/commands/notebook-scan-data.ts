import { type Static, Type } from 'typebox'
import { NotebookSettings } from '#recipes/notebook-settings.ts'
import { AppName, CommitId } from './container-data.ts'
import { RepositoryKey } from './image-data.ts'
import { NotebookBase, NotebookFinding, NotebookWishFields } from './notebook-data.ts'

const strict = { additionalProperties: false } as const

export const NotebookScanData = Type.Object(
  {
    repository: RepositoryKey,
    commit: CommitId,
    /** Names the project in the root folder. */
    repositoryName: Type.String({ minLength: 1, maxLength: 200 }),
    /** Slugs by folder, as they were given before. */
    given: Type.Optional(Type.Record(Type.String({ maxLength: 1_024 }), AppName)),
    /** Absent: what the projects ask for is not looked at, and they have no keys. */
    bases: Type.Optional(Type.Array(NotebookBase, { maxItems: 50 })),
    allowed: NotebookWishFields.allowed,
    date: NotebookWishFields.date,
  },
  strict,
)
export type NotebookScanData = Static<typeof NotebookScanData>

const ScanProblem = Type.Object(
  {
    path: Type.String(),
    message: Type.String(),
    expected: Type.Optional(Type.String()),
    file: Type.Optional(Type.String()),
    line: Type.Optional(Type.Integer()),
    column: Type.Optional(Type.Integer()),
  },
  strict,
)

/** What a page of a project without a server shows. */
const NotebookShown = Type.Object(
  {
    title: Type.String(),
    language: Type.String(),
    /** From the folder. */
    notebooks: Type.Array(Type.String()),
  },
  strict,
)

export const NotebookFound = Type.Object(
  {
    slug: Type.String(),
    /** From the root of the repository; `.` is the root. */
    folder: Type.String(),
    /** Of nb.yaml, else the name of the folder. */
    title: Type.String(),
    /** false: only a preview, because no file names the folder as a project. */
    serves: Type.Boolean(),
    /** How many; their names are told by notebook.examine. */
    notebooks: Type.Integer(),
    entry: Type.Union([Type.String(), Type.Null()]),
    /** What nb.yaml and notebooks.yaml say of it. */
    settings: NotebookSettings,
    /** Of what is shipped. */
    contentHash: Type.String(),
    /** With bases, and when nothing forbids an image: the keys of its images. */
    environment: Type.Optional(Type.String()),
    content: Type.Optional(Type.String()),
    pack: Type.Optional(Type.String()),
    language: Type.Optional(Type.String()),
    /** What forbids an image of it. */
    problems: Type.Array(NotebookFinding),
    /** What is wrong with its nb.yaml: it concerns no other project. */
    wrong: Type.Optional(Type.Array(ScanProblem)),
    /** Of one that has no server: it is only guessed, wants none, or is wrong. */
    shown: Type.Optional(NotebookShown),
  },
  strict,
)

export const NotebookScanned = Type.Object(
  {
    projects: Type.Array(NotebookFound),
    /** Of notebooks.yaml; with one there are no projects. */
    problems: Type.Array(ScanProblem),
    notes: Type.Array(NotebookFinding),
  },
  strict,
)
export type NotebookScanned = Static<typeof NotebookScanned>
