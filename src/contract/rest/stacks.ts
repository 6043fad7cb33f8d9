import { type Static, Type } from 'typebox'
import { HostName, Name, Nullable, strict } from './fields.ts'
import { ErrorDocument } from './problem.ts'

/** Names in config as code (docs/conventions.md). */
const CodeName = Type.String({ pattern: '^[a-zA-Z0-9_-]{1,63}$' })
const Options = Type.Record(
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }),
  Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()]),
  {
    maxProperties: 200,
    description: 'All of them, also those that stay as they are. A value "$NAME" is the secret of that name.',
  },
)
const Engine = Nullable(Type.String({ description: "null: the host's own." }))
const Problems = ErrorDocument.properties.problems

export const StackDefinitionDocument = Type.Object(
  {
    repository: Name,
    name: CodeName,
    kind: Type.Enum(['definition', 'compose']),
    file: Type.String(),
    composes: Type.Array(Type.String()),
    repo: Type.Optional(
      Type.String({
        description:
          'The other repository that it takes Compose files of. Which options these have is not known before a deployment: what "options" does not name is taken too.',
      }),
    ),
    options: Type.Record(Type.String(), Type.Unknown(), {
      description: 'A JSON Schema (2020-12) of the options.',
    }),
    /** Names of the stacks that are made of it. */
    stacks: Type.Array(Type.String()),
    problems: Problems,
  },
  strict,
)
export type StackDefinitionDocument = Static<typeof StackDefinitionDocument>

/** Repositories that could not be read, with the reason: the others are shown all the same. */
const Unread = Type.Array(Type.Object({ repository: Name, error: ErrorDocument }, strict))

const Incomplete = Type.Array(Name, {
  description: 'Repositories with more than 5,000 files: what their last ones say is not in the answer.',
})
const Unasked = Type.Integer({
  description: 'Repositories that were not asked, because there are more than 50: ask for these by name.',
})

/** How old an answer may be. */
export const Fresh = Type.Optional(
  Type.Boolean({
    description:
      'true: the Git servers are asked now. Default: what was read in the last ten seconds will do.',
  }),
)

export const StackDefinitionList = Type.Object(
  { items: Type.Array(StackDefinitionDocument), unread: Unread, incomplete: Incomplete, unasked: Unasked },
  strict,
)
export type StackDefinitionList = Static<typeof StackDefinitionList>

export const NewStack = Type.Object(
  {
    stackDefinition: CodeName,
    stack: CodeName,
    options: Type.Optional(Options),
    repository: Type.Optional({ ...Name, description: 'Default: the only one that has the definition.' }),
    repo: Type.Optional({
      ...CodeName,
      description:
        'The stack takes the Compose file of that name from another repository: the one of the file repo.<repo>.json.',
    }),
    engine: Type.Optional({ ...CodeName, description: 'The engine that it is for; default: the usual one.' }),
    enabled: Type.Optional(Type.Boolean({ description: 'false: it is written down and does not run.' })),
  },
  strict,
)
export type NewStack = Static<typeof NewStack>

export const StackChange = Type.Object(
  {
    stackDefinition: Type.Optional({
      ...CodeName,
      description: 'The one that it has: another one is another stack.',
    }),
    options: Options,
    enabled: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
  },
  strict,
)
export type StackChange = Static<typeof StackChange>

export const StackPlace = Type.Object(
  {
    repository: Type.Optional({ ...Name, description: 'Default: the only one that has such a stack.' }),
    engine: Type.Optional({
      ...CodeName,
      description: "The third part of its file's name; local: a file without one.",
    }),
  },
  strict,
)

export const WrittenStackDocument = Type.Object(
  {
    stack: CodeName,
    repository: Name,
    file: Type.String(),
    outcome: Type.Enum(['pushed', 'unchanged']),
    commit: Type.String({ description: 'Where the branch is now: what is deployed from.' }),
    /** Of the file, for If-Match; null when it is gone. */
    version: Nullable(Type.String()),
    /** What its services run, as the Compose files say with these options; null when nothing is to run. */
    services: Nullable(Type.Array(Type.Record(Type.String(), Type.Unknown()))),
    warnings: Type.Array(Type.String()),
  },
  strict,
)
export type WrittenStackDocument = Static<typeof WrittenStackDocument>

const StackConfigDocument = Type.Object(
  {
    repository: Name,
    file: Type.String(),
    stackDefinition: CodeName,
    enabled: Type.Boolean(),
    options: Options,
    version: Type.String(),
    problems: Problems,
  },
  strict,
)

export const StackTaskDocument = Type.Object(
  {
    id: Type.String(),
    slot: Nullable(Type.Integer()),
    node: Type.String(),
    state: Type.String(),
    desired: Type.String(),
    error: Type.String(),
    image: Type.String(),
  },
  strict,
)

export const StackServiceDocument = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    image: Type.String(),
    replicas: Nullable(Type.Integer({ description: 'null: one on each node.' })),
    running: Type.Integer(),
    /** What is not as wanted, in words. */
    problem: Nullable(Type.String()),
    tasks: Type.Array(StackTaskDocument),
  },
  strict,
)

export const StackDocument = Type.Object(
  {
    stack: Type.String(),
    host: Nullable(HostName),
    engine: Engine,
    /** The app that deploys it. */
    app: Nullable(Name),
    /** As the swarm tells; empty when it does not run. */
    services: Type.Array(StackServiceDocument),
    /** As the repository says; null for a stack that no repository of ours describes. */
    config: Nullable(StackConfigDocument),
  },
  strict,
)
export type StackDocument = Static<typeof StackDocument>

export const StackList = Type.Object(
  {
    items: Type.Array(StackDocument),
    unread: Unread,
    incomplete: Incomplete,
    unasked: Unasked,
    /** Engines that could not be asked. */
    unseen: Type.Array(Type.Object({ host: HostName, engine: Engine, error: ErrorDocument }, strict)),
    truncated: Type.Boolean({ description: 'An engine has more than 200 services: the first are shown.' }),
  },
  strict,
)
export type StackList = Static<typeof StackList>

export const ImageDocument = Type.Object(
  {
    host: HostName,
    engine: Engine,
    id: Type.String(),
    tags: Type.Array(Type.String()),
    digests: Type.Array(Type.String()),
    created_at: Type.String({ format: 'date-time' }),
    /** The file that describes it; null for an image that no repository of ours does. */
    config: Nullable(
      Type.Object(
        {
          repository: Name,
          app: Name,
          file: Type.String(),
          settings: Type.Record(Type.String(), Type.Unknown()),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type ImageDocument = Static<typeof ImageDocument>

export const ImageList = Type.Object(
  {
    items: Type.Array(ImageDocument),
    unread: Unread,
    incomplete: Incomplete,
    unasked: Unasked,
    unseen: StackList.properties.unseen,
    truncated: Type.Boolean({ description: 'An engine has more than 1,000 images: the newest are shown.' }),
  },
  strict,
)
export type ImageList = Static<typeof ImageList>
