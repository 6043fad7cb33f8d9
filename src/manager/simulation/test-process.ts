import { cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  UnknownRow,
} from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type LogFields, silentLogger } from '#lib/logger.ts'
import type { TestClock } from '#lib/test-clock.ts'
import { type Assembly, assemble } from '#manager/assemble.ts'
import { readConfig } from '#manager/config.ts'
import { createEvents, type ManagerEvent } from '#manager/deployments/events.ts'
import type { DeploymentLogs } from '#manager/deployments/logs.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { openStore } from '#manager/store/database.ts'
import type { SimulatedHost } from './test-host.ts'

/** Random sequences deploy again and again. */
const SETTINGS = { FAIRLEAD_MOST_UNATTENDED: '0', FAIRLEAD_GIT_HOSTS: 'git.example.org' }

export interface ProcessOptions {
  readonly folder: string
  readonly clock: TestClock
  readonly host: SimulatedHost
  readonly random: () => number
  readonly onEvent: (event: ManagerEvent) => void
  readonly onLog: (event: string, fields: LogFields | undefined) => void
  /** Something was done: whoever waits for peace has to go on waiting. */
  readonly onActivity: () => void
}

/**
 * A whole manager inside the test's process, that can be killed after any statement. A kill leaves exactly what lies
 * on the disk at that moment: the data folder is copied for the next process, and the killed one never goes on.
 */
export class SimulatedProcess {
  readonly killed = Promise.withResolvers<void>()
  readonly #options: ProcessOptions
  readonly #life: { readonly clock: Clock; die(): void }
  readonly #link: ReturnType<SimulatedHost['connect']>
  #assembly: Assembly | undefined
  #close: (() => Promise<void>) | undefined
  readonly #writing = new Set<Promise<unknown>>()
  #statementsLeft = Number.POSITIVE_INFINITY
  #dead = false

  constructor(options: ProcessOptions) {
    this.#options = options
    this.#life = options.clock.ofProcess()
    this.#link = options.host.connect()
  }

  get isDead(): boolean {
    return this.#dead
  }

  get assembly(): Assembly {
    if (!this.#assembly) {
      throw new Error('the manager is not up')
    }
    return this.#assembly
  }

  /** The folder that the next process starts with. */
  get legacy(): string {
    return `${this.#options.folder}+`
  }

  /** Resolves when it works, or was killed on the way. */
  async boot(): Promise<void> {
    await Promise.race([this.#boot(), this.killed.promise])
  }

  /** It dies after so many more statements; 0 means now. */
  killAfter(statements: number): void {
    this.#statementsLeft = statements
    if (statements === 0) {
      this.#die()
    }
  }

  /** The answer, or undefined when it was killed before it could give one. */
  async ask(request: InjectOptions): Promise<LightMyRequestResponse | undefined> {
    const answer = this.assembly.server.inject(request)
    return await Promise.race([answer, this.killed.promise.then(() => undefined)])
  }

  /** Resolves when the log lines so far are in their files. */
  async written(): Promise<void> {
    while (this.#writing.size > 0) {
      await Promise.allSettled(this.#writing)
      this.#options.onActivity()
    }
  }

  async close(): Promise<void> {
    await this.#close?.()
  }

  async #boot(): Promise<void> {
    const { folder, onEvent, onLog, random } = this.#options
    const { clock } = this.#life
    const store = await openStore(folder, clock.now)
    const db = store.db.withPlugin(this.#plugin())
    const events = createEvents(clock.now)
    events.subscribe(undefined, event => {
      this.#options.onActivity()
      if (!this.#dead) {
        onEvent(event)
      }
    })
    const assembly = await assemble({
      db,
      clock,
      events,
      random,
      config: readConfig({ FAIRLEAD_DATA: folder, FAIRLEAD_LISTEN: '127.0.0.1:0', ...SETTINGS }),
      logger: { ...silentLogger, info: onLog, warn: onLog, error: onLog },
      agents: this.#link.agents,
      sealer: await openSealer(db, join(folder, 'secret.key')),
      identity: () => {
        throw new Error('no host enrols in a simulation')
      },
    })
    this.#watch(assembly.parts.logs)
    this.#close = async () => {
      await assembly.stop()
      await store.close()
    }
    await assembly.start()
    this.#assembly = assembly
  }

  #watch(logs: DeploymentLogs): void {
    for (const name of ['append', 'lastSeqOf', 'settled', 'release', 'remove'] as const) {
      const method = logs[name].bind(logs) as (...args: unknown[]) => Promise<unknown>
      const watched = (...args: unknown[]) => {
        const work = method(...args)
        const noted: Promise<unknown> = work.catch(() => undefined).finally(() => this.#writing.delete(noted))
        this.#writing.add(noted)
        return work
      }
      Object.assign(logs, { [name]: watched })
    }
  }

  #plugin(): KyselyPlugin {
    return {
      transformQuery: ({ node }: PluginTransformQueryArgs) => node,
      transformResult: async ({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> => {
        this.#options.onActivity()
        this.#statementsLeft -= 1
        if (this.#statementsLeft <= 0) {
          this.#die()
        }
        return this.#dead ? await new Promise<never>(() => undefined) : result
      },
    }
  }

  #die(): void {
    if (this.#dead) {
      return
    }
    this.#dead = true
    this.#close = undefined
    cpSync(this.#options.folder, this.legacy, {
      recursive: true,
      filter: path => !['fairlead.lock', 'fairlead.db-shm'].includes(basename(path)),
    })
    this.#life.die()
    this.#link.die()
    this.killed.resolve()
  }
}
