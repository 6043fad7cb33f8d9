import { posix } from 'node:path'
import type { DockerIgnore, IgnoreFinding } from './docker-ignore.ts'

/**
 * Which of these files, and of the folders above them, a build context has: what .dockerignore leaves out is not sent.
 * A folder that is not left out is sent also when nothing in it is. The Dockerfile always is.
 */
export function keptOfContext(
  paths: readonly string[],
  { ignore, dockerfile }: { readonly ignore: DockerIgnore; readonly dockerfile: string },
): ReadonlySet<string> {
  const findings = new Map<string, IgnoreFinding>()
  const kept = new Set<string>([dockerfile])

  function findingOf(path: string): IgnoreFinding {
    const known = findings.get(path)
    if (known) {
      return known
    }
    const folder = posix.dirname(path)
    const finding = ignore.check(path, folder === '.' ? undefined : findingOf(folder))
    findings.set(path, finding)
    if (!finding.ignored) {
      kept.add(path)
    }
    return finding
  }

  paths.forEach(findingOf)
  return kept
}
