import { type Static, Type } from 'typebox'
import { NotebookSettings } from '#recipes/notebook-settings.ts'
import { AppName, CommitId, ImageName } from './container-data.ts'
import { ImagePath, RegistryData, RepositoryKey, TreePath } from './image-data.ts'

const strict = { additionalProperties: false } as const

/** Where a project may have a Dockerfile of its own, from its folder: the first one counts. */
export const OWN_DOCKERFILES = ['.binder/Dockerfile', 'binder/Dockerfile', 'Dockerfile'] as const

const Version = Type.String({ pattern: '^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$' })

/** A base image, and what it brings: recipes choose the first one that has what a project asks for. */
export const NotebookBase = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' }),
    /** `name@sha256:…` */
    reference: ImageName,
    /** Versions of Python whose environment is ready. */
    pythons: Type.Array(Version, { maxItems: 20 }),
    r: Type.Optional(Version),
    julia: Type.Optional(Version),
    /** `uv`, `micromamba`. */
    tools: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), { maxItems: 20 }),
  },
  strict,
)
export type NotebookBase = Static<typeof NotebookBase>

/** Where a project is, and what its images may be made of. The commit is in the mirror already. */
export const NotebookWishFields = {
  repository: RepositoryKey,
  commit: CommitId,
  /** From the root of the repository; `.` is the root. */
  folder: TreePath,
  /** Names the project's images. */
  slug: AppName,
  /** Win over nb.yaml. */
  settings: Type.Optional(NotebookSettings),
  bases: Type.Array(NotebookBase, { maxItems: 50 }),
  /** Beginnings of addresses that packages may come from though they are inside, or unprotected. */
  allowed: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 100 })),
  /** Day whose R packages are taken where the project names none. */
  date: Type.Optional(Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })),
  /** Absent: the images stay on this host. */
  registry: Type.Optional(RegistryData),
  /** More registries whose credentials base images may need. */
  registries: Type.Optional(Type.Array(RegistryData, { maxItems: 16 })),
  /** In front of their names in the registry; default `notebooks`. */
  prefix: Type.Optional(ImagePath),
}
export const NotebookWish = Type.Object(NotebookWishFields, strict)
export type NotebookWish = Static<typeof NotebookWish>

/** Something that a person should know of a project: code, message, hint, and where. */
export const NotebookFinding = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    hint: Type.String(),
    file: Type.Optional(Type.String()),
    line: Type.Optional(Type.Integer()),
  },
  strict,
)

export const NotebookVersions = Type.Object(
  {
    python: Type.Optional(Type.String()),
    r: Type.Optional(Type.String()),
    /** Day of its packages. */
    rDate: Type.Optional(Type.String()),
    julia: Type.Optional(Type.String()),
  },
  strict,
)

export const NotebookExamined = Type.Object(
  {
    slug: Type.String(),
    title: Type.String(),
    /** From the project's folder. */
    notebooks: Type.Array(Type.String()),
    /** The notebook that is opened first; null when there is none. */
    entry: Type.Union([Type.String(), Type.Null()]),
    language: Type.String(),
    pack: Type.String(),
    versions: NotebookVersions,
    /** What nb.yaml and the given settings say together. */
    settings: NotebookSettings,
    warnings: Type.Array(NotebookFinding),
    /** Each forbids an image. With one there is neither an environment nor a content below. */
    problems: Type.Array(NotebookFinding),
    /** Files that decide about the environment, from the project's folder. */
    inputs: Type.Array(Type.String()),
    /** A change of a notebook needs no build. */
    isAppendable: Type.Boolean(),
    /** For the plan. */
    dockerfile: Type.String(),
    environment: Type.Optional(
      Type.Object(
        {
          key: Type.String(),
          reference: Type.String(),
          present: Type.Union([
            Type.Literal('registry'),
            Type.Literal('local'),
            Type.Literal('missing'),
            Type.Literal('unknown'),
          ]),
          /** Of the manifest in the registry. */
          digest: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
    content: Type.Optional(
      Type.Object(
        {
          key: Type.String(),
          reference: Type.String(),
          localImageId: Type.Optional(Type.String()),
          registryDigest: Type.Optional(Type.String()),
          /** `host/repository@sha256:…`: the image is here and in the registry, the same one. */
          pinned: Type.Optional(Type.String()),
          /** none: no registry is wanted; unknown: it did not answer. */
          registry: Type.Union([
            Type.Literal('none'),
            Type.Literal('present'),
            Type.Literal('missing'),
            Type.Literal('unknown'),
          ]),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type NotebookExamined = Static<typeof NotebookExamined>

const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })

export const NotebookEnvironmentData = Type.Object(
  {
    ...NotebookWishFields,
    /** As it was planned: another one is an error. */
    key: Type.String({ pattern: '^[be]-[0-9a-f]{24}$' }),
  },
  strict,
)
export type NotebookEnvironmentData = Static<typeof NotebookEnvironmentData>

export const NotebookEnvironment = Type.Object(
  {
    reference: ImageName,
    imageId: Type.Optional(Digest),
    /** Of the manifest in the registry, when there is one. */
    digest: Type.Optional(Digest),
    /** base: nothing is added to the base image. */
    how: Type.Union([Type.Literal('present'), Type.Literal('built'), Type.Literal('base')]),
  },
  strict,
)
export type NotebookEnvironment = Static<typeof NotebookEnvironment>

export const NotebookContentData = Type.Object(
  {
    ...NotebookWishFields,
    /** As it was planned: another one is an error. */
    key: Type.String({ pattern: '^t-[0-9a-f]{24}$' }),
    /** What notebook.environment told. */
    environment: NotebookEnvironment,
  },
  strict,
)
export type NotebookContentData = Static<typeof NotebookContentData>

export const NotebookContent = Type.Object(
  {
    reference: Type.String(),
    imageId: Type.String(),
    /** `host/repository@sha256:…` */
    pinned: Type.Optional(Type.String()),
    /** appended: nothing was executed. */
    how: Type.Union([Type.Literal('present'), Type.Literal('appended'), Type.Literal('built')]),
    /** What a Dockerfile of the project's own does not have that a notebook's image should. */
    missing: Type.Optional(Type.Array(Type.String())),
  },
  strict,
)
export type NotebookContent = Static<typeof NotebookContent>
