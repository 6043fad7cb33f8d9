import type { Selectable } from 'kysely'
import { repositoryBytes } from '#commands/repository-bytes.ts'
import {
  type FileSecrets,
  MOST_FILE_BYTES,
  openFiles,
  pathOf,
  type SecretFile,
} from '#manager/secrets/encrypted-files.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { filesOf, tell } from '#targets/target.ts'
import type { Ask, Source } from './source.ts'
import type { PipelineParts } from './step.ts'

interface Wanted {
  readonly repository: Selectable<RepositoryTable> | undefined
  readonly source: Source
  readonly files: readonly SecretFile[]
}

/**
 * What the encrypted files hold that the deploy file names; undefined: it names none. The worker reads them as they are
 * in Git, and only the manager has what opens them: the key of the app's own repository, whoever's files are beside its.
 */
export async function readSecretFiles(
  parts: PipelineParts,
  ask: Ask,
  { repository, source, files }: Wanted,
): Promise<FileSecrets | undefined> {
  if (files.length === 0 || !repository) {
    return undefined
  }
  const paths = [...new Set(files.map(pathOf))]
  const data = { ...filesOf(source), paths, mostBytes: MOST_FILE_BYTES }
  const { files: contents } = (await ask(tell('secret-files', repositoryBytes, data))) as {
    readonly files: Readonly<Record<string, string | null>>
  }
  return await openFiles(parts, files, { repository, commit: source.commit, contents })
}
