import { posix } from 'node:path'
import type { Static } from 'typebox'
import type { Problem } from '#lib/errors.ts'
import { languageOf } from '#recipes/kernel-language.ts'
import { entryOf, notebookTitle } from '#recipes/notebook-title.ts'
import type { NotebookProject } from '#recipes/scan.ts'
import type { NotebookFound } from './notebook-scan-data.ts'
import type { Texts } from './notebook-texts.ts'

export type NotebookShown = NonNullable<Static<typeof NotebookFound>['shown']>

const MOST_NOTEBOOKS = 1_000
/** Of all projects together: an answer must fit into a frame. */
const MOST_OF_ALL = 3_000
const MOST_PROBLEMS = 20

/** What is shown of the projects that have no server, by folder. The notebook that is opened first is read for its title. */
export async function shownProjects(
  projects: readonly NotebookProject[],
  texts: Texts,
): Promise<ReadonlyMap<string, NotebookShown>> {
  const without = projects.filter(
    project => !project.serves || project.settings.mode === 'static' || wrongWith(project).length > 0,
  )
  const entries = new Map(
    without.map(({ folder, notebooks, settings }) => {
      const entry = entryOf(notebooks, settings.entry)
      return [folder, entry === undefined ? undefined : posix.join(folder, entry)]
    }),
  )
  for (const path of entries.values()) {
    if (path !== undefined) {
      texts.text(path)
    }
  }
  if (texts.wanted() > 0) {
    await texts.read()
  }
  let left = MOST_OF_ALL
  return new Map(
    without.map(({ folder, slug, notebooks, settings }) => {
      const path = entries.get(folder)
      const text = path === undefined ? undefined : texts.text(path)
      const names = notebooks.slice(0, Math.min(MOST_NOTEBOOKS, left))
      left -= names.length
      const title = settings.title ?? notebookTitle(text ?? '') ?? (posix.basename(folder) || slug)
      return [folder, { title, language: languageOf(text) ?? 'python', notebooks: names }]
    }),
  )
}

/** Why it can have no server, whatever else it says. */
export function wrongWith({ problems, doubled }: NotebookProject): Problem[] {
  return [...problems, ...(doubled ? [doubled] : [])].slice(0, MOST_PROBLEMS)
}
