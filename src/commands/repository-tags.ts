import { Type } from 'typebox'
import { tagsAt } from '#programs/git-tags.ts'
import { defineCommand } from './command.ts'
import { Branch, Commit, Key, MINUTE, strict } from './repository-fields.ts'
import { nameRemote, openRemote, RemoteFields } from './repository-remote.ts'

const MOST_TAGS = 1000

export const repositoryTags = defineCommand({
  name: 'repository.tags',
  summary: 'Asks a Git server for the tags of a commit.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object(
    { ...RemoteFields, repository: Key, branch: Type.Optional(Branch), commit: Commit },
    strict,
  ),
  result: Type.Object({ tags: Type.Array(Type.String(), { maxItems: MOST_TAGS }) }, strict),
  deadlineMs: MINUTE,
  async run(hands, data) {
    const remote = await openRemote(hands, nameRemote(hands, data))
    const tags = await hands.perform(tagsAt(remote, data.commit))
    return { tags: tags.slice(0, MOST_TAGS) }
  },
})
