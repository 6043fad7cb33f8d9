import { Type } from 'typebox'
import { readBlobBytes } from '#programs/git-tree.ts'
import { defineCommand } from './command.ts'
import { Commit, Key, MINUTE, Path, strict } from './repository-fields.ts'
import { foldersOf } from './repository-folders.ts'
import { DEFAULT_LIMITS, readSource } from './repository-source.ts'
import { chooseFiles } from './repository-texts.ts'

export const repositoryBytes = defineCommand({
  name: 'repository.bytes',
  summary: 'Reads files of a commit that was checked out before as they are, for those that are no text.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object(
    {
      ...{ repository: Key, commit: Commit, paths: Type.Array(Path, { maxItems: 16 }) },
      /** Of each; a larger one is told as null. */
      mostBytes: Type.Integer({ minimum: 1, maximum: 40 * 1024 }),
    },
    strict,
  ),
  result: Type.Object(
    /** In base64, by path. What is not there is left out. */
    { files: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])) },
    strict,
  ),
  deadlineMs: MINUTE,
  async run(hands, { repository, commit, paths, mostBytes }) {
    const { mirror } = foldersOf(hands.host.workspace, repository)
    const { entries } = await readSource(hands, mirror, { revision: commit, limits: DEFAULT_LIMITS })
    const files: Record<string, string | null> = {}
    for (const { path, id, bytes } of chooseFiles(entries, paths)) {
      files[path] = bytes > mostBytes ? null : await hands.perform(readBlobBytes(mirror, id, mostBytes))
    }
    return { files }
  },
})
