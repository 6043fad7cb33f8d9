import type { StepContext } from '#manager/pipeline/step.ts'
import { releasedNotebook } from '#targets/notebook-release.ts'

/** What a deployment found out about its notebook project. */
export interface SeenNotebook {
  readonly folder: string
  readonly mode: string
  /** What the worker said of it; undefined: it came to no look, or a release was brought back. */
  readonly examined?: Examined | undefined
  /** What the release that was brought back says of it. */
  readonly released?: ReleasedNotebook | undefined
  readonly commit: string | undefined
  /** `host/repository@sha256:…` */
  readonly image: string | undefined
  readonly domains: readonly string[]
}

interface ReleasedNotebook {
  readonly title: string
  readonly entry: string | null
  readonly language: string
  /** Key of what is served. */
  readonly content: string
}

/** Of notebook.examine, what is told of. */
interface Examined {
  readonly title: string
  readonly entry: string | null
  readonly notebooks: readonly string[]
  readonly language: string
  readonly settings?: { readonly tags?: readonly string[] }
  readonly content?: { readonly key: string; readonly pinned?: string }
}

/** Undefined for an app that is none, or whose settings were not read. */
export function seenNotebook({ facts, results, deployment }: StepContext): SeenNotebook | undefined {
  const { target, settings, source, goal, domains = [] } = facts
  if (target?.name !== 'notebook' || !settings) {
    return undefined
  }
  const { folder, path, mode } = settings as { folder?: string; path?: string; mode?: string }
  const examined = results.get('examined') as Examined | undefined
  return {
    folder: (folder ?? path ?? '.').replace(/^\.\/(?=.)|\/+$/g, '') || '.',
    mode: mode ?? 'lab',
    examined,
    released: releasedNotebook(goal),
    commit: source?.commit ?? goal?.commit ?? deployment.commit,
    image: pinnedIn(results.get('content')) ?? examined?.content?.pinned ?? (goal && pinnedIn(goal.content)),
    domains: domains.filter(host => !host.includes('*')),
  }
}

/** `host/repository@sha256:…`, where a registry has it. */
function pinnedIn(said: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return typeof said?.pinned === 'string' ? said.pinned : undefined
}
