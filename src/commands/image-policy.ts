import { checkDockerfile } from '#policy/dockerfile.ts'
import { findingText } from '#policy/finding.ts'
import type { Hands } from './command.ts'
import { DOCKERFILE_REFUSED } from './image-errors.ts'
import { sayMode } from './policy-mode.ts'

interface Built {
  readonly dockerfile: string
  readonly text: string
  readonly args: Readonly<Record<string, string>>
}

/** The host's own rules; a host in another mode than "enforce" only says what they would refuse. */
export function refuseByPolicy(hands: Hands, { dockerfile, text, args }: Built): void {
  const { mode, registries } = hands.host.policy
  sayMode(hands)
  const findings = checkDockerfile(dockerfile, text, { registries, args })
  for (const finding of findings) {
    hands.say(findingText(finding), 'stderr')
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
