import { posix } from 'node:path'
import type { NotebookExamined } from '#commands/notebook-data.ts'
import { NOTEBOOK_REFUSED } from '#commands/notebook-errors.ts'
import { type Found, foundOf } from './container-found.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { folderOf } from './notebook-wants.ts'
import type { LookInput } from './target.ts'

type Input = Pick<LookInput<NotebookTargetSettings>, 'found' | 'app' | 'goal' | 'settings'>

/** What the worker said of the project; undefined for a release that is brought back. */
export function examinedOf({ found }: Pick<Input, 'found'>): NotebookExamined | undefined {
  return found.examined as NotebookExamined | undefined
}

/** The worker's answers in the words of a container. A project of which there can be no image is refused, with file and line. */
export function notebookFound(input: Input): Found {
  const examined = examinedOf(input)
  if (!examined) {
    return foundOf(input)
  }
  const { content } = examined
  if (!content || examined.problems.length > 0) {
    throw refused(input, examined)
  }
  const { key: _, ...image } = content
  const images = [{ ...image, key: input.app.name, tag: content.key }]
  return foundOf({ ...input, found: { ...input.found, content: { images } } })
}

function refused({ app, settings }: Input, { problems }: NotebookExamined): Error {
  const folder = folderOf(settings)
  const placed = problems.map(({ message, hint, file, line }) => ({
    ...{ path: '', message, expected: hint },
    ...(file === undefined ? {} : { file: posix.join(folder, file) }),
    ...(line === undefined ? {} : { line }),
  }))
  const [first] = placed
  const where = [first?.file, first?.line].filter(part => part !== undefined).join(':')
  const said = first?.message ?? 'its image has no name'
  return NOTEBOOK_REFUSED(app.name, where === '' ? said : `${where} ${said}`).with({ problems: placed })
}
