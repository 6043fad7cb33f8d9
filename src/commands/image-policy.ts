import { checkDockerfile } from '#policy/dockerfile.ts'
import { findingText } from '#policy/finding.ts'
import type { Hands } from './command.ts'
import { DOCKERFILE_REFUSED } from './image-errors.ts'

/** The host's own rules; a host in trusted mode only says what they would refuse. */
export function refuseByPolicy(hands: Hands, dockerfile: string, text: string): void {
  const findings = checkDockerfile(dockerfile, text)
  for (const finding of findings) {
    hands.say(findingText(finding), 'stderr')
  }
  const refused = findings.filter(finding => finding.severity === 'error')
  const first = refused[0]
  if (first && hands.host.policy.mode === 'enforce') {
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
