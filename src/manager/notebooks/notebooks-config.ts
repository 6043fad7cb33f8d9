import { type Static, Type } from 'typebox'
import { NotebookBase, NotebookWishFields } from '#commands/notebook-data.ts'
import { problemsOf } from '#lib/check.ts'
import type { EnvironmentReader } from '#manager/environment.ts'

const NotebooksFile = Type.Object(
  {
    bases: Type.Array(NotebookBase, { maxItems: 50 }),
    allowed: NotebookWishFields.allowed,
    date: NotebookWishFields.date,
    prefix: NotebookWishFields.prefix,
  },
  { additionalProperties: false },
)
export type NotebooksConfig = Static<typeof NotebooksFile>

const NAME = 'FAIRLEAD_NOTEBOOKS_FILE'

/** What images of notebooks may be made of, as the administrator wrote it down. */
export function readNotebooks(reader: EnvironmentReader): NotebooksConfig | undefined {
  const text = reader.file(NAME)
  if (text === undefined) {
    return undefined
  }
  const value = parsed(text)
  const [problem] = problemsOf(NotebooksFile, value)
  return problem
    ? reader.refuse(NAME, `${problem.path} ${problem.message}`.trim(), 'JSON as docs/notebooks.md has it')
    : (value as NotebooksConfig)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
