import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { writeBack } from './repository-blocks.ts'
import { Branch, Commit, Key, lockOf, MINUTE, Path, strict } from './repository-fields.ts'
import { RemoteFields } from './repository-remote.ts'

export const repositoryWriteBack = defineCommand({
  name: 'repository.write-back',
  summary: 'Writes marked blocks into files called URL.md, in one commit that it pushes to the branch.',
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      ...RemoteFields,
      repository: Key,
      branch: Branch,
      blocks: Type.Array(
        Type.Object(
          {
            path: Path,
            marker: Type.String({ pattern: '^[a-z][a-z0-9:-]{0,99}$' }),
            version: Type.Integer({ minimum: 1, maximum: 999 }),
            text: Type.String({ minLength: 1, maxLength: 16_384 }),
          },
          strict,
        ),
        { minItems: 1, maxItems: 100 },
      ),
      /** Said in the message of the commit: whose it is. */
      deployment: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
      commit: Commit,
    },
    strict,
  ),
  result: Type.Object(
    {
      outcome: Type.Enum(['pushed', 'unchanged']),
      commit: Commit,
      parent: Type.Union([Commit, Type.Null()]),
      skips: Type.Boolean(),
      warnings: Type.Array(Type.String()),
    },
    strict,
  ),
  deadlineMs: 2 * MINUTE,
  lock: data => lockOf(data.repository),
  async run(hands, data) {
    const { warnings, ...written } = await writeBack(hands, data)
    return { ...written, warnings: [...warnings] }
  },
})
