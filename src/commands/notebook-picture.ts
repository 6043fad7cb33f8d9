import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { Commit, Key, MINUTE, Path, strict } from './repository-fields.ts'

export const notebookPicture = defineCommand({
  name: 'notebook.picture',
  summary: 'Gives the picture that a notebook project has for itself among its files.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      repository: Key,
      commit: Commit,
      /** From the root of the repository; `.` is the root. */
      folder: Path,
      /** From the folder: the notebook that is opened first. */
      entry: Type.Optional(Path),
    },
    strict,
  ),
  result: Type.Object(
    {
      picture: Type.Union([
        Type.Object({ type: Type.String({ pattern: '^image/[a-z]+$' }), base64: Type.String() }, strict),
        Type.Null(),
      ]),
    },
    strict,
  ),
  deadlineMs: MINUTE,
  async run(hands, data) {
    // Few hosts have notebooks: a worker without any does without what reads their settings.
    const { findPicture } = await import('./notebook-picture-find.ts')
    return { picture: (await findPicture(hands, data)) ?? null }
  },
})
