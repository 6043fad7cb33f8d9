import type { AppFiles } from '#deploy-file/convention.ts'

/** What the message of a pushed commit asks for one app, instead of what changed files say. */
export interface Wish {
  /** Only the plan is made and kept. */
  readonly dryRun: boolean
  readonly act: 'as-changed' | 'nothing' | 'build' | 'deploy' | 'remove'
}

export const AS_CHANGED: Wish = { dryRun: false, act: 'as-changed' }

/**
 * Whether messages may ask for something: as a person has said, else where the Git host has told that the repository is
 * private. What anybody may read, anybody may propose a title for.
 */
export function takesActions({
  commit_actions,
  is_private,
}: {
  readonly commit_actions: number | null
  readonly is_private: number | null
}): boolean {
  return commit_actions === null ? is_private === 1 : commit_actions === 1
}

/** For all apps, the strongest first: only the strongest that is there counts, and then none for a single app. */
const GENERAL = ['do-all', 'build-all', 'deploy-all', 'remove-all'] as const
const SAME: Readonly<Record<string, string>> = { 'build-deploy-all': 'do-all' }

/** The words of a message in whatever order. Stacks are deployed and removed, images are built and pushed. */
export function wishOf(words: readonly string[], { kind, name }: Pick<AppFiles, 'kind' | 'name'>): Wish {
  const asked = new Set(words.map(word => SAME[word] ?? word))
  const dryRun = asked.delete('dry-run')
  if (asked.size === 0) {
    return { ...AS_CHANGED, dryRun }
  }
  const general = GENERAL.find(word => asked.has(word))
  const has = (verb: string) => (general ? general === `${verb}-all` : asked.has(`${verb}-${name}`))
  const all = general === 'do-all'
  if (kind === 'image') {
    return { dryRun, act: all || has('push') ? 'deploy' : has('build') ? 'build' : 'nothing' }
  }
  const act = all || has('deploy') ? 'deploy' : has('build') ? 'build' : has('remove') ? 'remove' : 'nothing'
  return { dryRun, act }
}
