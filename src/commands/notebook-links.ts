import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { NotebookLink } from './notebook-link-data.ts'
import { Branch, Commit, Key, lockOf, MINUTE, strict } from './repository-fields.ts'
import { RemoteFields } from './repository-remote.ts'

export const notebookLinks = defineCommand({
  name: 'notebook.links',
  summary:
    'Writes where the notebooks of a repository are to be found into files called URL.md, in one commit that it pushes.',
  role: 'worker',
  data: Type.Object(
    {
      ...RemoteFields,
      repository: Key,
      branch: Branch,
      links: Type.Array(NotebookLink, { minItems: 1, maxItems: 500 }),
      write: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    },
    strict,
  ),
  result: Type.Object(
    {
      outcome: Type.Enum(['pushed', 'unchanged', 'disabled']),
      branch: Branch,
      commit: Commit,
      parent: Type.Union([Commit, Type.Null()]),
      skips: Type.Boolean(),
      files: Type.Integer(),
      warnings: Type.Array(Type.String()),
    },
    strict,
  ),
  deadlineMs: 2 * MINUTE,
  lock: data => lockOf(data.repository),
  async run(hands, data) {
    // Few hosts have notebooks: a worker without any does without what reads their settings.
    const { writeLinks } = await import('./notebook-link-write.ts')
    const { warnings, outcome, branch, commit, parent, skips, files } = await writeLinks(hands, data)
    return { outcome, branch, commit, parent, skips, files, warnings: warnings.slice(0, 100) }
  },
})
