import { type Static, Type } from 'typebox'
import { NotebookBase, NotebookWishFields } from '#commands/notebook-data.ts'
import { problemsOf } from '#lib/check.ts'
import type { EnvironmentReader } from '#manager/environment.ts'
import { Domain } from '#targets/container-settings.ts'
import { NotebookLimits } from '#targets/notebook-limits.ts'
import { sharedHost } from '#targets/notebook-place.ts'

const NotebooksFile = Type.Object(
  {
    bases: Type.Array(NotebookBase, { maxItems: 50 }),
    allowed: NotebookWishFields.allowed,
    date: NotebookWishFields.date,
    prefix: NotebookWishFields.prefix,
    /** Whose accounts base images are fetched with. */
    registries: NotebookWishFields.registries,
    limits: Type.Optional(NotebookLimits),
    /** host: each has a host of its own. path: those of a team share one, and with it their visitors' trust. */
    mode: Type.Optional(Type.Enum(['host', 'path'])),
    /** That they share; default: `notebooks.` before the base domain. */
    host: Type.Optional(Domain),
  },
  { additionalProperties: false },
)
export type NotebooksConfig = Static<typeof NotebooksFile>

const NAME = 'FAIRLEAD_NOTEBOOKS_FILE'

/** What images of notebooks may be made of, as the administrator wrote it down. */
export function readNotebooks(
  reader: EnvironmentReader,
  { baseDomain, publicUrl }: { readonly baseDomain: string; readonly publicUrl: string },
): NotebooksConfig | undefined {
  const text = reader.file(NAME)
  if (text === undefined) {
    return undefined
  }
  const value = parsed(text)
  const [problem] = problemsOf(NotebooksFile, value)
  if (problem) {
    return reader.refuse(
      NAME,
      `${problem.path} ${problem.message}`.trim(),
      'JSON as docs/notebooks.md has it',
    )
  }
  const notebooks = value as NotebooksConfig
  const host = sharedHost(notebooks, { baseDomain })
  // A notebook there could read what people type into the pages of the manager, their tokens too.
  return notebooks.mode === 'path' && host === URL.parse(publicUrl)?.hostname
    ? reader.refuse(NAME, `lets notebooks share ${host} with the manager`, 'a "host" that nothing else has')
    : notebooks
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
