import type { NotebookExamined } from '#commands/notebook-data.ts'
import { releasedNotebook } from './notebook-release.ts'
import type { Change, LookInput } from './target.ts'

/** What is made before the container, in words: what an author has to wait for. */
export function makingChanges(
  { found, previous }: Pick<LookInput<unknown>, 'found' | 'previous'>,
  { environment, content, isAppendable, inputs }: NotebookExamined,
): Change[] {
  const before = releasedNotebook(previous)
  const isBuilt = environment?.present === 'missing' && content?.registry !== 'present'
  const isOther = before !== undefined && before.environment !== environment?.key
  return [
    ...(isBuilt
      ? [
          {
            kind: 'build',
            what: 'environment',
            why: whyBuilt(isOther, changedInputs(found) ?? inputs),
          } as const,
        ]
      : isOther
        ? [{ kind: 'image', what: 'environment', why: 'another project has made it already' } as const]
        : []),
    ...(content
      ? [{ kind: 'build', what: content.reference, why: howMade(content, isAppendable) } as const]
      : []),
  ]
}

function whyBuilt(isOther: boolean, inputs: readonly string[]): string {
  const named = inputs.slice(0, 3).join(', ')
  if (isOther) {
    return named === '' ? 'its base image or settings changed' : `changed: ${named}`
  }
  return named === '' ? 'not made yet' : `not made yet, from ${named}`
}

/** Files that decide about the environment and are not as they were released; undefined when nobody asked. */
function changedInputs(found: LookInput<unknown>['found']): readonly string[] | undefined {
  const answer = found.inputs as { compared: string; examples: readonly string[] } | undefined
  return answer?.compared === 'yes' ? answer.examples : undefined
}

function howMade({ registry }: NonNullable<NotebookExamined['content']>, isAppendable: boolean): string {
  if (registry === 'present') {
    return 'the registry has this content: it is fetched'
  }
  return isAppendable ? 'its files are added as a layer' : 'built: a step runs after its files are there'
}
