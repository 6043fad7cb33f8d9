import { type Static, type TSchema, Type } from 'typebox'
import { PACKS } from './packs.ts'

const strict = { additionalProperties: false } as const
const optional = <S extends TSchema>(schema: S) => Type.Optional(schema)
const Path = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^/\\u0000-\\u001f][^\\u0000-\\u001f]*$',
})
const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' })
/** Terabytes are written as gigabytes later. */
const SIZE = '^(?:[1-9][0-9]{0,6}[kmg]|[1-9][0-9]{0,2}t)$'
const Size = Type.String({ pattern: SIZE, description: 'For example 512m or 2g.' })
const Duration = Type.String({
  pattern: '^(?:0|[1-9][0-9]{0,5})(?:ms|s|m|h)$',
  description: 'For example 30m or 2h.',
})
const EnvironmentName = '^[A-Za-z_][A-Za-z0-9_]{0,127}$'
/** Of a secret, as nb.yaml and deploy files may write it. */
export const SecretWord = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,127}$' })

const Environment = Type.Object(
  {
    pack: optional(Type.Enum(['auto', ...PACKS])),
    python: optional(
      Type.String({ pattern: '^3\\.[0-9]{1,2}$', description: 'A version in quotes, like "3.12".' }),
    ),
    base: optional(Name),
    shared: optional(
      Type.Boolean({ description: 'Whether kernels run in the environment of the server; always false.' }),
    ),
    include: optional(
      Type.Array(
        Type.String({
          minLength: 1,
          maxLength: 200,
          pattern: '^[^/\\u0000-\\u001f]+(/[^/\\u0000-\\u001f]+)*$',
        }),
        {
          maxItems: 20,
          description: 'Folders outside the project, from its own, that dependency files may use.',
        },
      ),
    ),
    extras: optional(Type.Array(Name, { maxItems: 50, description: 'Of [project.optional-dependencies].' })),
    compat: optional(
      Type.Enum(['extended', 'strict'], { description: 'strict: choose the pack as repo2docker does.' }),
    ),
    r: optional(
      Type.Object(
        {
          needsSource: optional(
            Type.Boolean({
              description: 'install.R reads files of the project: it runs after they are there.',
            }),
          ),
        },
        strict,
      ),
    ),
  },
  strict,
)

const Build = Type.Object(
  {
    timeout: optional(Duration),
    memory: optional(Size),
    network: optional(Type.String({ minLength: 1, maxLength: 40 })),
    postBuild: optional(
      Type.Object(
        { inputs: Type.Array(Path, { maxItems: 100, description: 'All files that postBuild reads.' }) },
        strict,
      ),
    ),
  },
  strict,
)

const Idle = Type.Object(
  { kernel: optional(Duration), server: optional(Duration), max: optional(Duration) },
  strict,
)
type Idle = Static<typeof Idle>

const Run = Type.Object(
  {
    memory: optional(Size),
    cpus: optional(Type.Number({ minimum: 0.1, maximum: 256 })),
    pids: optional(Type.Integer({ minimum: 16, maximum: 32_768 })),
    shm: optional(Size),
    gpu: optional(Type.String({ minLength: 1, maxLength: 40 })),
    egress: optional(Type.Boolean({ description: 'Whether it may reach other hosts.' })),
    env: optional(
      Type.Record(Type.String({ pattern: EnvironmentName }), Type.String({ maxLength: 4_096 }), strict),
    ),
    secrets: optional(
      Type.Array(SecretWord, { maxItems: 50, description: 'By name; values are never written here.' }),
    ),
    // A time alone is that of the server.
    idle: optional(Type.Union([Duration, Idle])),
    volumes: optional(
      Type.Array(
        Type.Object(
          {
            name: Name,
            path: Type.String({ pattern: '^/srv/work(/[A-Za-z0-9_.-]+)*$' }),
            size: optional(Size),
          },
          strict,
        ),
        { maxItems: 10 },
      ),
    ),
  },
  strict,
)

const Access = Type.Object(
  {
    auth: optional(Type.Enum(['sso', 'none'])),
    groups: optional(Type.Array(Name, { maxItems: 50 })),
    trust: optional(
      Type.Enum(['isolated', 'team'], {
        description:
          'isolated: it has a host of its own. team: it may share one with other notebooks, where the administrator lets them.',
      }),
    ),
  },
  strict,
)

const Mode = Type.Enum(['lab', 'notebook', 'nbclassic', 'reader', 'voila', 'static'])

/** What nb.yaml says of one project; its presence alone makes a folder one. */
export const NotebookSettings = Type.Object(
  {
    version: optional(Type.Literal(1)),
    enabled: optional(Type.Boolean({ description: 'false hides the folder and all below it.' })),
    title: optional(Type.String({ minLength: 1, maxLength: 120 })),
    slug: optional(
      Type.String({
        pattern: '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$',
        description: 'The name in the link: lower case letters, digits and "-", at most 40.',
      }),
    ),
    entry: optional(Path),
    mode: optional(Mode),
    env: optional(Environment),
    build: optional(Build),
    run: optional(Run),
    access: optional(Access),
    ship: optional(
      Type.Object(
        {
          nested: optional(
            Type.Boolean({ description: 'Projects inside the folder are shipped with it too.' }),
          ),
        },
        strict,
      ),
    ),
    preview: optional(
      Type.Object(
        { enabled: optional(Type.Boolean()), thumbnail: optional(Path), execute: optional(Type.Boolean()) },
        strict,
      ),
    ),
    tags: optional(Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { maxItems: 20 })),
  },
  strict,
)
export type NotebookSettings = Static<typeof NotebookSettings>

/** After how long without work what is stopped; undefined: nothing is said. */
export function idleOf({ idle }: Static<typeof Run> = {}): Idle | undefined {
  return typeof idle === 'string' ? { server: idle } : idle
}

const Pattern = Type.String({ minLength: 1, maxLength: 300, pattern: '^[^\\u0000-\\u001f]+$' })

/** What notebooks.yaml at the root of a repository says of all its projects. */
export const RepositoryNotebooks = Type.Object(
  {
    version: optional(Type.Literal(1)),
    defaults: optional(
      Type.Object(
        { mode: optional(Mode), access: optional(Access), run: optional(Run), env: optional(Environment) },
        strict,
      ),
    ),
    projects: optional(
      Type.Array(Pattern, {
        minItems: 1,
        maxItems: 500,
        description: 'Folders or patterns; without them the repository is searched.',
      }),
    ),
    exclude: optional(Type.Array(Pattern, { maxItems: 500, description: 'Patterns as in .dockerignore.' })),
    urlmd: optional(
      Type.Object(
        {
          enabled: optional(Type.Boolean()),
          branch: optional(Type.String({ minLength: 1, maxLength: 200 })),
          index: optional(Type.Boolean()),
          image: optional(Type.Boolean()),
          mode: optional(Type.Enum(['commit', 'merge-request'])),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type RepositoryNotebooks = Static<typeof RepositoryNotebooks>
