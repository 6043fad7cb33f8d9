import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { type Command, defineCommand } from '#commands/command.ts'
import { type ProgramCall, SEARCH_PATH } from '#exec/call.ts'
import { removeLeftovers } from '#exec/leftovers.ts'
import { createPerform } from '#exec/perform.ts'
import { takeUp } from '#exec/run-outliving.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import { Journal } from './journal.ts'
import { Stage, serveTestAgent, testCommands } from './test-agent.ts'

/** An agent as a process of its own, to be killed by a test. Argument: its data folder. Prints its port. */
if (import.meta.main) {
  const folder = process.argv[2] ?? ''
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { recursive: true })
  const identity = loadIdentity({ folder, clock: systemClock })
  const journal = new Journal(join(folder, 'journal.db'), systemClock)
  const kept = journal.orphans().map(({ orphan }) => orphan.program)
  await removeLeftovers({ folder: temporary, clock: systemClock, graceMs: 300, kept })
  const place = { temporary, searchPath: folder, graceMs: 300 }
  const stage = new Stage()
  const { server } = await serveTestAgent({
    folder,
    identity,
    stage,
    logger: silentLogger,
    journal,
    obey: {
      commands: [...testCommands(stage), programCommand(folder)],
      createPerform: parts => createPerform({ ...parts, ...place }),
      takeUp: (program, parts) => takeUp(program, { ...parts, ...place }),
    },
  })
  process.stdout.write(`${server.port}\n`)
}

/** Starts a program that outlives the agent; it notes each start, and ends when there is a file `gate`. */
function programCommand(folder: string): Command {
  const starts = join(folder, 'starts')
  const script = `#!/bin/sh
echo start >> ${starts}
echo "one $1"
while [ ! -e ${join(folder, 'gate')} ]; do sleep 0.02; done
echo "two $1"
echo $PPID >&2
`
  writeFileSync(join(folder, 'git'), script)
  chmodSync(join(folder, 'git'), 0o755)
  return defineCommand({
    name: 'test.program',
    summary: 'For tests.',
    deadlineMs: 60_000,
    role: 'worker',
    data: Type.Object({ secret: Type.String({ secret: true }) }, { additionalProperties: false }),
    result: Type.Object({ pid: Type.Integer(), starts: Type.Integer() }),
    lock: () => 'program',
    run: async (hands, { secret }) => {
      hands.say('begun')
      const call: ProgramCall<number> = {
        kind: 'program',
        program: 'git',
        args: [secret],
        env: { PATH: SEARCH_PATH },
        files: [{ name: 'key', content: 'x' }],
        timeoutMs: 60_000,
        show: 'stdout',
        outlives: 'the program of the test',
        read: ({ stderr }) => Number(stderr),
      }
      const pid = await hands.perform(call)
      hands.say('over')
      return { pid, starts: readFileSync(starts, 'utf8').split('\n').length - 1 }
    },
  }) as unknown as Command
}
