import { type Static, type TObject, Type } from 'typebox'
import { remoteFolderOf } from '#formats/remote-folder.ts'
import type { Problem } from '#lib/errors.ts'
import type { RemoteRepository, Shelf } from './convention.ts'
import { type ReadConfig, readConfig } from './convention-config.ts'
import type { ConventionFile } from './convention-files.ts'

const strict = { additionalProperties: false } as const

const Fields = {
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  /** Name of a secret of the app: a private key, or for HTTPS `user:token`. */
  credential: Type.Optional(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' })),
  branch: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  known_hosts: Type.Optional(Type.String({ minLength: 1, maxLength: 65_536 })),
}
const RepoConfig = Type.Object(Fields, strict)
const Name = Type.String({ pattern: '^[a-zA-Z0-9_-]{1,100}$' })
const RepoKey = Type.Union([Name, Type.Object({ name: Name, ...Fields }, strict)])
export type RepoKey = Static<typeof RepoKey>

/** What a `.remote-repo.` file says more than one of the same kind without it. */
export function withRepo<S extends TObject>(schema: S) {
  return Type.Object({ ...schema.properties, repo: RepoKey }, strict) as unknown as S & {
    readonly static: { readonly repo: RepoKey }
  }
}

/** The other repository that a file names, and where its files are looked for. */
export interface Elsewhere {
  readonly remote: RemoteRepository
  /** The file that says where it is, when that is one of its own. */
  readonly through: readonly string[]
  /** From the root of the checkout. */
  readonly folder: string
  /** In the other repository, else in this one; undefined only once the other one could be looked into. */
  find(kind: 'compose' | 'dockerfile', name: string): string | undefined
}

/** The repository that the key `repo` of a file names; undefined for a file without `.remote-repo.`. */
export function elsewhereOf(
  file: ConventionFile,
  read: ReadConfig<object>,
  shelf: Shelf,
): { readonly elsewhere: Elsewhere | undefined; readonly problems: readonly Problem[] } {
  const { repo } = (read.config ?? {}) as { readonly repo?: RepoKey }
  if (!file.remote || repo === undefined) {
    return { elsewhere: undefined, problems: [] }
  }
  if (typeof repo !== 'string') {
    const { known_hosts: knownHosts, ...remote } = repo
    return found({ ...remote, ...(knownHosts === undefined ? {} : { knownHosts }) }, [], {
      shelf,
      problemAt: (path, ...words) => read.problemAt(['repo', ...path], ...words),
    })
  }
  const repoFile = shelf.only('repo', repo)
  if (!repoFile) {
    const message = `needs the repository "${repo}", which is not there`
    const expected = `one file repo.${repo}.json, wherever in the tree, or {"name": …, "url": …}`
    return { elsewhere: undefined, problems: [read.problemAt(['repo'], message, expected)] }
  }
  const config = readConfig(RepoConfig, repoFile.path, shelf.texts[repoFile.path])
  if (!config.config) {
    return { elsewhere: undefined, problems: config.problems }
  }
  const { known_hosts: knownHosts, ...remote } = config.config
  const whole = { name: repo, ...remote, ...(knownHosts === undefined ? {} : { knownHosts }) }
  return found(whole, [repoFile.path], { shelf, problemAt: config.problemAt })
}

function found(
  remote: RemoteRepository,
  through: readonly string[],
  { shelf, problemAt }: { readonly shelf: Shelf } & Pick<ReadConfig<object>, 'problemAt'>,
): ReturnType<typeof elsewhereOf> {
  if (!/^https:\/\//i.test(remote.url) && remote.credential === undefined) {
    const expected = 'the name of the secret of the app that has the private key'
    return {
      elsewhere: undefined,
      problems: [problemAt(['url'], 'is an SSH address without "credential"', expected)],
    }
  }
  const folder = remoteFolderOf(remote.name)
  return {
    elsewhere: { remote, through, folder, find: (kind, name) => shelf.far(remote.name, kind, name) },
    problems: [],
  }
}
