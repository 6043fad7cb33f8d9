import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Static, type TObject, Type } from 'typebox'
import { type Command, defineCommand, type HostFacts } from '#commands/command.ts'
import type { Perform } from '#exec/call.ts'
import { systemClock } from '#lib/clock.ts'
import { type LogFields, type Logger, silentLogger } from '#lib/logger.ts'
import { type Identity, publicIdentity } from '#link/identity.ts'
import type { Pin } from '#link/public-identity.ts'
import { anIdentity, pinFor, temporaryFolder } from '#link/test-identities.ts'
import { Journal } from './journal.ts'
import { Obey, type ObeyOptions } from './obey.ts'
import { peersIn } from './peers.ts'
import { AgentServer, type ServeOptions } from './serve.ts'

const strict = { additionalProperties: false } as const

/** What the commands below did, and the gate at which `test.wait` waits. */
export class Stage {
  readonly done: string[] = []
  readonly #gates = new Map<string, PromiseWithResolvers<void>>()

  open(name: string): void {
    this.gate(name).resolve()
  }

  gate(name: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(name) ?? Promise.withResolvers<void>()
    this.#gates.set(name, gate)
    return gate
  }
}

/** Commands that do nothing to the host: fakes for the real registry. */
export function testCommands(stage: Stage): readonly Command[] {
  return [
    made({
      name: 'test.echo',
      role: 'worker',
      data: Type.Object({ text: Type.String() }, strict),
      result: Type.Object({ text: Type.String() }, strict),
      run: async (hands, { text }) => {
        stage.done.push(text)
        hands.say(`echo ${text}`)
        return { text }
      },
    }),
    made({
      name: 'test.wait',
      role: 'worker',
      data: Type.Object({ gate: Type.String(), lines: Type.Optional(Type.Integer()) }, strict),
      result: Type.Object({ waited: Type.String() }, strict),
      lock: ({ gate }) => gate.split('/')[0] ?? gate,
      run: async (hands, { gate, lines = 0 }) => {
        stage.done.push(`start ${gate}`)
        for (let line = 1; line <= lines; line++) {
          hands.say(`line ${line}`, 'stdout')
        }
        const aborted = new Promise((_resolve, reject) => {
          hands.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
        })
        await Promise.race([stage.gate(gate).promise, aborted])
        stage.done.push(`end ${gate}`)
        return { waited: gate }
      },
    }),
    made({
      name: 'test.chatty',
      role: 'worker',
      data: Type.Object({ lines: Type.Integer(), size: Type.Integer() }, strict),
      result: Type.Object({}, strict),
      run: async (hands, { lines, size }) => {
        for (let line = 1; line <= lines; line++) {
          hands.say('x'.repeat(size), 'stdout')
          if (line % 500 === 0) {
            await new Promise(resolve => setImmediate(resolve))
          }
        }
        stage.done.push('chatty')
        return {}
      },
    }),
    made({
      name: 'test.stubborn',
      role: 'worker',
      data: Type.Object({}, strict),
      result: Type.Object({}, strict),
      run: async () => await new Promise<never>(() => undefined),
    }),
    made({
      name: 'test.secret',
      role: 'worker',
      data: Type.Object(
        { token: Type.String({ secret: true }), fail: Type.Optional(Type.Literal('yes')) },
        strict,
      ),
      result: Type.Object({ said: Type.String() }, strict),
      run: async (hands, { token, fail }) => {
        hands.say(`using ${token}\nand ${Buffer.from(token).toString('base64')}`)
        if (fail) {
          throw new Error(`refused: ${token}`)
        }
        return { said: `Bearer ${token}` }
      },
    }),
    made({
      name: 'test.wrong',
      role: 'worker',
      data: Type.Object({}, strict),
      result: Type.Object({ number: Type.Integer() }, strict),
      run: async () => ({ number: 'five' }) as unknown as { number: number },
    }),
    made({
      name: 'firewall.open',
      role: 'guardian',
      data: Type.Object({ port: Type.Integer() }, strict),
      result: Type.Object({}, strict),
      run: async () => {
        stage.done.push('firewall.open')
        return {}
      },
    }),
  ]
}

type Fake<D extends TObject, R extends TObject> = Omit<Command<D, R>, 'summary' | 'deadlineMs' | 'run'> & {
  readonly run: (hands: Parameters<Command['run']>[0], data: Static<D>) => Promise<Static<R>>
}

function made<D extends TObject, R extends TObject>(fake: Fake<D, R>): Command {
  return defineCommand({ summary: 'For tests.', deadlineMs: 60_000, ...fake }) as unknown as Command
}

export const noCalls: () => Perform = () => async () => {
  throw new Error('Test commands make no calls.')
}

export interface TestAgentOptions {
  readonly folder?: string
  readonly identity?: Identity
  readonly manager?: Identity
  readonly pins?: readonly Identity[]
  readonly role?: 'worker' | 'guardian'
  readonly obey?: Partial<ObeyOptions>
  readonly serve?: Partial<ServeOptions>
}

export interface TestAgent {
  readonly server: AgentServer
  readonly obey: Obey
  readonly journal: Journal
  readonly stage: Stage
  readonly folder: string
  readonly identity: Identity
  readonly pin: Pin
  readonly manager: Identity
  readonly log: LogEntry[]
  readonly address: string
  stop(): Promise<void>
}

export interface LogEntry {
  readonly event: string
  readonly fields: LogFields
}

/** A real agent on loopback with fake commands; everything but the host is as in a worker. Gone after the test. */
export async function startTestAgent(t: TestContext, options: TestAgentOptions = {}): Promise<TestAgent> {
  const { folder = temporaryFolder(t), role = 'worker' } = options
  const { identity = anIdentity(t, role), manager = anIdentity(t, 'manager') } = options
  const log: LogEntry[] = []
  const stage = new Stage()
  for (const pinned of options.pins ?? [manager]) {
    peersIn(folder).trust(publicIdentity(pinned))
  }
  const parts = await serveTestAgent({ ...options, folder, identity, stage, logger: recordingLogger(log) })
  const { server, journal, obey } = parts
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= obey
      .close()
      .then(() => server.close())
      .then(() => journal.close())
    return stopping
  }
  t.after(stop)
  const address = `127.0.0.1:${server.port}`
  return {
    server,
    obey,
    journal,
    stage,
    folder,
    identity,
    pin: pinFor(identity),
    manager,
    log,
    address,
    stop,
  }
}

interface Serving extends Pick<TestAgentOptions, 'obey' | 'serve'> {
  readonly folder: string
  readonly identity: Identity
  readonly stage: Stage
  readonly logger: Logger
  readonly journal?: Journal
}

/** The parts of an agent, put together as a worker does. */
export async function serveTestAgent({ folder, identity, stage, logger, ...options }: Serving) {
  const peers = peersIn(folder)
  peers.load()
  const { journal = new Journal(join(folder, 'journal.db'), systemClock) } = options
  const common = { journal, clock: systemClock, logger }
  const obey = new Obey({
    ...common,
    role: 'worker',
    commands: testCommands(stage),
    host: { name: 'test' } as HostFacts,
    createPerform: noCalls,
    takeUp: async () => undefined,
    logs: join(folder, 'commands'),
    ...options.obey,
  })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await AgentServer.start({
    ...common,
    identity,
    peers,
    listen,
    build: 'test',
    obey,
    ...options.serve,
  })
  return { server, journal, obey }
}

export function recordingLogger(log: LogEntry[]): Logger {
  const add = (event: string, fields: LogFields = {}) => {
    log.push({ event, fields })
  }
  return { ...silentLogger, info: add, warn: add, error: add }
}
