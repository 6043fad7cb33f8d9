import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import { Stage, serveTestAgent } from './test-agent.ts'

/** An agent as a process of its own, to be killed by a test. Argument: its data folder. Prints its port. */
if (import.meta.main) {
  const folder = process.argv[2] ?? ''
  const identity = loadIdentity({ folder, clock: systemClock })
  const { server } = await serveTestAgent({ folder, identity, stage: new Stage(), logger: silentLogger })
  process.stdout.write(`${server.port}\n`)
}
