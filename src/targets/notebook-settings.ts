import { type Static, Type } from 'typebox'
import { SecretWord } from '#recipes/notebook-settings.ts'
import { Scalar } from './build-settings.ts'
import { Domain, Duration, Memory } from './container-settings.ts'
import { VerifySettings } from './verify-settings.ts'

const strict = { additionalProperties: false } as const

const FOLDER = '^(?!/)(?!(?:.*/)?\\.\\.(?:/|$))[^\\u0000-\\u001f]+$'

export const NOTEBOOK_MODES = ['lab', 'notebook', 'nbclassic', 'reader', 'voila', 'static'] as const

/** What a deploy file may say of notebook projects; it wins over their nb.yaml. */
export const NotebookTargetSettings = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        ...{ minLength: 1, maxLength: 300, pattern: FOLDER },
        description:
          'The folder of a project, or a pattern such as `notebooks/*`: then each matching project is an app, called by its slug.',
      }),
    ),
    folder: Type.Optional(
      Type.String({
        ...{ minLength: 1, maxLength: 1_024, pattern: FOLDER },
        description: 'The folder of the project, from the root of the repository.',
      }),
    ),
    entry: Type.Optional(
      Type.String({
        ...{ minLength: 1, maxLength: 300, pattern: FOLDER },
        description: 'The notebook that is opened first, from the folder.',
      }),
    ),
    mode: Type.Optional(
      Type.Enum([...NOTEBOOK_MODES], {
        description:
          'How it is shown. lab, notebook, nbclassic: to work in; reader: to run, nothing is saved; voila: as a dashboard. Default: as its base image does, which is lab.',
      }),
    ),
    address: Type.Optional(
      Type.Enum(['host', 'path'], {
        description:
          'host: a host of its own. path: below the host that notebooks share, where the administrator lets them. Default: as nb.yaml trusts.',
      }),
    ),
    domain: Type.Optional(Domain),
    domains: Type.Optional(Type.Array(Domain, { maxItems: 50 })),
    environment: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }), Scalar, {
        description: 'A value "$NAME" is the secret of that name.',
      }),
    ),
    secrets: Type.Optional(
      Type.Array(SecretWord, {
        maxItems: 50,
        description:
          'Secrets of the app that its kernels find in the environment under their own names. "-" and "." are written "_" there.',
      }),
    ),
    memory: Type.Optional(Memory),
    cpus: Type.Optional(Type.Number({ minimum: 0.1, maximum: 512 })),
    pids: Type.Optional(Type.Integer({ minimum: 16, maximum: 100_000 })),
    shm: Type.Optional(Memory),
    read_only: Type.Optional(
      Type.Boolean({
        description:
          'Nothing but /tmp, the home folder and /srv/work can be written to. Default: only for reader and voila.',
      }),
    ),
    idle: Type.Optional(
      Type.Object(
        {
          kernel: Type.Optional(Duration),
          server: Type.Optional(Duration),
          max: Type.Optional(Duration),
        },
        {
          ...strict,
          description:
            'After how long without work a kernel, and the whole server (default: 2h; 0s: never), is stopped; max: after how long it is stopped whatever it does. Who visits it wakes it.',
        },
      ),
    ),
    verify: Type.Optional(VerifySettings),
    drain: Type.Optional(Duration),
  },
  strict,
)
export type NotebookTargetSettings = Static<typeof NotebookTargetSettings>
