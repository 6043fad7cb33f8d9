import { Type } from 'typebox'
import { type Command, defineCommand } from '#commands/command.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import { pinOf } from '#link/public-identity.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { tell } from '#manager/agents/tell.ts'

const echo = defineCommand({
  name: 'test.echo',
  summary: 'For tests.',
  role: 'worker',
  data: Type.Object({ text: Type.String() }),
  result: Type.Object({ text: Type.String() }),
  deadlineMs: 60_000,
  run: async (_hands, { text }) => ({ text }),
}) as unknown as Command

/** A manager as a process of its own. Arguments: address of the agent, its pin as JSON, own folder. Prints what happened. */
if (import.meta.main) {
  const [address = '', pin = '', folder = ''] = process.argv.slice(2)
  const connection = new AgentConnection({
    address,
    pin: pinOf(JSON.parse(pin)),
    identity: loadIdentity({ folder, clock: systemClock }),
    epoch: () => 1,
    commands: [echo],
    clock: systemClock,
    logger: silentLogger,
  })
  const params = { text: 'hi' }
  const result = await tell(connection, { id: newId(), command: 'test.echo', params, deadlineMs: 60_000 })
  await connection.close()
  process.stdout.write(JSON.stringify({ result, child: process.permission?.has('child') }))
}
