import { type Static, Type } from 'typebox'
import { Commit, Path, strict } from './repository-fields.ts'

const Url = Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 2048 })
const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()])

/** What a project's URL.md says of it. */
export const NotebookLink = Type.Object(
  {
    slug: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    /** From the root of the repository; `.` is the root. */
    folder: Path,
    title: Type.String({ minLength: 1, maxLength: 300 }),
    status: Type.Enum(['building', 'live', 'stopped', 'failed', 'removed']),
    url: orNull(Url),
    mode: Type.String({ pattern: '^[a-z]{1,20}$' }),
    /** The commit that is served. */
    commit: orNull(Commit),
    /** Of what is served. */
    tree: orNull(Type.String({ pattern: '^[a-z]-[0-9a-f]{8,64}$' })),
    image: orNull(Type.String({ pattern: '^[!-~]+$', maxLength: 500 })),
    badge: orNull(Url),
    preview: orNull(Url),
    /** Its block is written where it stands, and nowhere else. */
    onlyInPlace: Type.Optional(Type.Boolean()),
    /** What the last deployment that failed printed; the same address each time. */
    log: Type.Optional(Url),
    /** Why the last deployment failed, on one line. */
    error: orNull(Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f]+$' })),
  },
  strict,
)
export type NotebookLink = Static<typeof NotebookLink>
