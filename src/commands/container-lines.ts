import { containerLog } from '#programs/container-log.ts'
import { inspectContainer } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { withoutToken } from './container-token.ts'

const LAST_LINES = 40

/** The last lines a container printed, shown in the log of the deployment too. Empty when it is gone or printed nothing. `until` (seconds since 1970) leaves out what a restart printed. */
export async function lastLines(hands: Hands, id: string, until?: string): Promise<readonly string[]> {
  const lines: string[] = []
  if (!(await hands.perform(inspectContainer(hands.host.dockerSocket, id)))) {
    return lines
  }
  await hands.perform(
    containerLog(hands.host.dockerSocket, {
      id,
      tail: LAST_LINES,
      ...(until === undefined ? {} : { until }),
      onLine: (printed, stream) => {
        const text = withoutToken(printed)
        lines.push(text.slice(0, 2_000))
        hands.say(text, stream)
      },
    }),
  )
  return lines.slice(-LAST_LINES)
}
