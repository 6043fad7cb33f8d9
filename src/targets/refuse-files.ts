import { posix } from 'node:path'
import { refuseErrors } from '#commands/compose-refuse.ts'
import { checkComposeFiles } from '#policy/compose.ts'
import type { HostRules, ProjectFacts } from '#policy/rule-context.ts'

/** What no host allows, whatever its own policy: all that is known of a host that does not tell its own. */
const ALWAYS: HostRules = { mode: 'trusted', ports: { from: 1, to: 65_535, never: [] }, registries: [] }

export interface WrittenFiles {
  /** From the root of the repository. */
  readonly files: readonly string[]
  readonly texts: Readonly<Record<string, string>>
  readonly project: string
  readonly variables: readonly string[]
  /** A port that only serves a route is not published, so it needs no leave. */
  readonly routes?: ProjectFacts['routes']
  /** As the worker told of its own policy. */
  readonly rules?: HostRules | undefined
  readonly isStack?: true
}

/**
 * The manager's own look at Compose files before any worker is asked to merge them, by the rules that the worker tells.
 * The worker looks again, and at what Compose makes of them: that holds values of secrets and stays on its host.
 */
export function refuseFiles(written: WrittenFiles): void {
  const { files, texts, project, variables, routes = [], rules = ALWAYS, isStack } = written
  const folder = posix.dirname(files[0] ?? '.')
  const sources = files.flatMap(file => {
    const text = texts[file]
    return text === undefined ? [] : [{ file, text, folder }]
  })
  // Which images were built on the host is not known here, and those may have any name: registries are for the worker.
  const known = { ...rules, registries: [] }
  const facts = { name: project, routes, variables, sockets: [], ...(isStack ? { isStack } : {}) }
  refuseErrors(checkComposeFiles(sources, known, facts).findings)
}
