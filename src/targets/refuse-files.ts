import { posix } from 'node:path'
import { refuseErrors } from '#commands/compose-refuse.ts'
import { checkComposeFiles } from '#policy/compose.ts'
import type { HostRules } from '#policy/rule-context.ts'

/** What no host allows, whatever its own policy: only that is known of a host here. */
const ALWAYS: HostRules = { mode: 'trusted', ports: { from: 1, to: 65_535, never: [] }, registries: [] }

export interface WrittenFiles {
  /** From the root of the repository. */
  readonly files: readonly string[]
  readonly texts: Readonly<Record<string, string>>
  readonly project: string
  readonly variables: readonly string[]
}

/**
 * The manager's own look at Compose files before any worker is asked to merge them. The worker looks again, by its own
 * policy, and at what Compose makes of them: that holds values of secrets and stays on its host.
 */
export function refuseFiles({ files, texts, project, variables }: WrittenFiles): void {
  const folder = posix.dirname(files[0] ?? '.')
  const sources = files.flatMap(file => {
    const text = texts[file]
    return text === undefined ? [] : [{ file, text, folder }]
  })
  const facts = { name: project, routes: [], variables, sockets: [] }
  refuseErrors(checkComposeFiles(sources, ALWAYS, facts).findings)
}
