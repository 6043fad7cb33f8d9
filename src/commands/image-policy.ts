import { checkDockerfile } from '#policy/dockerfile.ts'
import { findingText } from '#policy/finding.ts'
import type { HostRules } from '#policy/rule-context.ts'
import type { Hands } from './command.ts'
import { DOCKERFILE_REFUSED } from './image-errors.ts'
import { sayMode } from './policy-mode.ts'

export interface Built {
  readonly dockerfile: string
  readonly text: string
  readonly args: Readonly<Record<string, string>>
}

/** The host's own rules; a host in another mode than "enforce" only says what they would refuse. */
export function refuseByPolicy(hands: Hands, built: Built): void {
  sayMode(hands)
  refuseDockerfile(hands.host.policy, built, finding => hands.say(finding, 'stderr'))
}

/** The same for manager and worker, with file and line. Everything found is said. */
export function refuseDockerfile(
  { mode, registries }: Pick<HostRules, 'mode' | 'registries'>,
  { dockerfile, text, args }: Built,
  say: (finding: string) => void,
): void {
  const findings = checkDockerfile(dockerfile, text, { registries, args })
  for (const finding of findings) {
    say(findingText(finding))
  }
  const refused = findings.filter(finding => finding.severity === 'error')
  const first = refused[0]
  if (first && mode === 'enforce') {
    throw DOCKERFILE_REFUSED(dockerfile, first.message).with({
      problems: refused.map(({ path, message, file, line }) => ({
        path,
        message,
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
      })),
    })
  }
}
