import type { NotebookExamined } from '#commands/notebook-data.ts'
import type { ContainerRelease } from './container-release.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { folderOf } from './notebook-wants.ts'
import type { ReleaseFacts } from './target.ts'

/** What a release of a notebook project keeps besides its container. */
export interface NotebookRelease extends ContainerRelease {
  readonly notebook: {
    readonly folder: string
    readonly title: string
    /** From the folder: the notebook that is opened first. */
    readonly entry: string | null
    readonly mode: string
    readonly pack: string
    readonly language: string
    /** Keys of its images; of equal ones there need be only one. */
    readonly environment: string
    readonly content: string
  }
}

export function notebookOf(
  settings: NotebookTargetSettings,
  { title, entry, pack, language, environment, content }: NotebookExamined,
): NotebookRelease['notebook'] {
  return {
    folder: folderOf(settings),
    title,
    entry,
    mode: settings.mode ?? 'default',
    pack,
    language,
    environment: environment?.key ?? '',
    content: content?.key ?? '',
  }
}

/** What an earlier release says of the project, as far as it says it: it may be of another target. */
export function releasedNotebook(
  release: Pick<ReleaseFacts, 'content'> | undefined,
): NotebookRelease['notebook'] | undefined {
  return (release?.content as Partial<NotebookRelease> | undefined)?.notebook
}
