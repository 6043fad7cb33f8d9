import { type Static, Type } from 'typebox'
import { FairleadError } from '#lib/errors.ts'
import { writeBlob } from '#programs/git-push.ts'
import { readBlobs } from '#programs/git-tree.ts'
import { renderPreview } from '#programs/notebook-preview.ts'
import { defineCommand, type Hands } from './command.ts'
import { PREVIEW_IMPOSSIBLE } from './notebook-link-errors.ts'
import { Commit, Key, MINUTE, strict } from './repository-fields.ts'
import { foldersOf } from './repository-folders.ts'

const MOST_NOTEBOOK_BYTES = 16 * 1024 * 1024
const MOST_CONTENT_BYTES = 16 * 1024 * 1024
/** A result must fit into one frame. */
const PART_BYTES = 768 * 1024

const Preview = Type.Object(
  {
    /** Of the content, from `from`. */
    part: Type.String(),
    total: Type.Integer(),
    /** Where the rest is; null: this is all. */
    rest: Type.Union([Commit, Type.Null()]),
  },
  strict,
)

export const notebookPreview = defineCommand({
  name: 'notebook.preview',
  summary: 'Makes the static page of a notebook by the Git id of its file, and gives it part by part.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      repository: Key,
      blob: Commit,
      /** The rest of a page that was made before, as the first answer gave it. */
      rest: Type.Optional(Commit),
      from: Type.Optional(Type.Integer({ minimum: 0 })),
    },
    strict,
  ),
  result: Preview,
  deadlineMs: MINUTE,
  async run(hands, { repository, blob, rest, from = 0 }): Promise<Static<typeof Preview>> {
    const { mirror } = foldersOf(hands.host.workspace, repository)
    const content =
      rest === undefined
        ? await rendered(hands, mirror, blob)
        : await textOf(hands, { mirror, id: rest, mostBytes: MOST_CONTENT_BYTES })
    const part = content.slice(from, from + PART_BYTES)
    const isAll = from + part.length >= content.length
    return {
      part,
      total: content.length,
      // Among the objects of the mirror it is kept until the rest was asked for, and some time longer.
      rest: isAll ? null : (rest ?? (await hands.perform(writeBlob(mirror, content)))),
    }
  },
})

async function rendered(hands: Hands, mirror: string, id: string): Promise<string> {
  const notebook = await textOf(hands, { mirror, id, mostBytes: MOST_NOTEBOOK_BYTES })
  try {
    return await hands.perform(renderPreview(notebook))
  } catch (error) {
    throw isCalled(error, 'PROGRAM_FAILED') || isCalled(error, 'CALL_TIMED_OUT')
      ? PREVIEW_IMPOSSIBLE('it takes too long, or too much memory').with({ cause: error })
      : error
  }
}

async function textOf(
  hands: Hands,
  { mirror, id, mostBytes }: { readonly mirror: string; readonly id: string; readonly mostBytes: number },
): Promise<string> {
  try {
    return (await hands.perform(readBlobs(mirror, [id], mostBytes))).get(id) ?? ''
  } catch (error) {
    throw isCalled(error, 'OUTPUT_TOO_LARGE')
      ? PREVIEW_IMPOSSIBLE('it is larger than 16 MiB').with({ cause: error })
      : error
  }
}

function isCalled(error: unknown, code: string): boolean {
  return error instanceof FairleadError && error.code === code
}
