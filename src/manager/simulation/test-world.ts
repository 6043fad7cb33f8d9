import { createHmac } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InjectOptions } from 'fastify'
import { TestClock } from '#lib/test-clock.ts'
import type { ManagerEvent } from '#manager/deployments/events.ts'
import { createFirstToken } from '#manager/people/tokens.ts'
import { SimulatedEngine } from './test-engine.ts'
import { SimulatedGit } from './test-git.ts'
import { SimulatedHost } from './test-host.ts'
import { SimulatedProcess } from './test-process.ts'

export const APPS = ['shop', 'blog'] as const
export type AppName = (typeof APPS)[number]

const BIRTH = Date.UTC(2026, 0, 1)
/** A deploy file with all apps, each with these further settings. */
export function deployFileWith(settings = ''): string {
  const apps = APPS.map(app => `  ${app}:\n    target: container\n    drain: 0s\n${settings}`)
  return `version: 1\napps:\n${apps.join('')}`
}

/** Turns of the event loop in which nothing happened: then nothing will until time passes. */
const QUIET_TURNS = 6

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Event {
  readonly id: string
  readonly body: string
}

/** What one world starts from: made once, because making it takes longer than many a sequence. */
export interface Origin {
  readonly folder: string
  readonly token: string
  readonly hook: { readonly path: string; readonly secret: string }
}

/** A Git server, a worker and a manager that can be killed, all in this process, in a time of their own. */
export class SimulatedWorld {
  readonly clock = new TestClock(BIRTH)
  readonly git = new SimulatedGit()
  readonly engine: SimulatedEngine
  readonly host: SimulatedHost
  /** What served when a deployment of the app was said to have succeeded. */
  readonly claims: { readonly deployment: string; readonly served: string | undefined }[] = []
  readonly noted: string[] = []
  readonly #root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fairlead-world-'))
  #origin: Origin | undefined
  #folder = join(this.#root, 'm')
  #process: SimulatedProcess | undefined
  #activity = 0
  #events = 0
  readonly #random = alwaysTheSame()

  constructor(deployFile: string) {
    this.engine = new SimulatedEngine(this.git, deployFile)
    this.host = new SimulatedHost(this.clock, this.engine)
  }

  static async open(origin?: Origin, deployFile = deployFileWith()): Promise<SimulatedWorld> {
    const world = new SimulatedWorld(deployFile)
    if (origin) {
      cpSync(origin.folder, world.#folder, { recursive: true })
      world.#origin = origin
    } else {
      mkdirSync(world.#folder)
    }
    await world.up()
    return world
  }

  /** The manager that works now; a killed one is started again, as its supervisor would. */
  async up(): Promise<SimulatedProcess> {
    while (!this.#process || this.#process.isDead) {
      this.#folder = this.#process?.legacy ?? this.#folder
      this.#process = new SimulatedProcess({
        folder: this.#folder,
        clock: this.clock,
        host: this.host,
        random: this.#random,
        onEvent: event => this.#heard(event),
        onLog: (event, fields) => void this.noted.push(String(fields?.code ?? event)),
        onActivity: () => {
          this.#activity += 1
        },
      })
      await this.#process.boot()
      await this.settle()
    }
    return this.#process
  }

  async kill(afterStatements: number): Promise<void> {
    ;(await this.up()).killAfter(afterStatements)
  }

  /** Makes the repository, its hook and its apps; gives what later worlds start from. */
  async found(): Promise<Origin> {
    const { assembly } = await this.up()
    const { db } = assembly.parts
    let token = ''
    await createFirstToken(assembly.parts, made => {
      token = made
    })
    const host = {
      name: 'local',
      role: 'worker',
      address: 'x:1',
      identity: '{"keyId":"0"}',
      created_at: 1,
    } as const
    await db.insertInto('hosts').values(host).execute()
    this.#origin = { folder: this.#folder, token, hook: { path: '', secret: '' } }
    const repository = {
      name: 'site',
      url: 'https://git.example.org/site.git',
      poll_seconds: 60,
      auto_apps: false,
    }
    await this.api('POST', '/repositories', repository)
    for (const name of APPS) {
      await this.api('POST', '/apps', { name, repository: 'site' })
    }
    const made = await this.api('POST', '/repositories/site/webhook-secret', { git_host: 'github' })
    await this.settle()
    await this.#process?.close()
    const { url, secret } = (made?.body ?? {}) as { url: string; secret: string }
    return { folder: this.#folder, token, hook: { path: new URL(url).pathname, secret } }
  }

  /** Asks the manager that is up; undefined when it dies before it answers. */
  async api(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<Answer | undefined> {
    return await this.#ask({
      method,
      url: `/api/v1${path}`,
      headers: { authorization: `Bearer ${this.#origin?.token}` },
      ...(body ? { payload: body } : {}),
    })
  }

  /** What the Git host says about a push now; it may send it later, twice or never. */
  pushEvent(): Event {
    const body = {
      ref: 'refs/heads/main',
      before: 'a'.repeat(40),
      after: this.git.tip,
      repository: { id: 1 },
    }
    this.#events += 1
    const id = `00000000-0000-4000-8000-${String(this.#events).padStart(12, '0')}`
    return { id, body: JSON.stringify({ ...body, id }) }
  }

  async deliver({ id, body }: Event): Promise<Answer | undefined> {
    const { hook } = this.#origin as Origin
    return await this.#ask({
      method: 'POST',
      url: hook.path,
      headers: {
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
        'x-github-event': 'push',
        'x-github-delivery': id,
      },
      payload: body,
    })
  }

  /** Lets time pass with everything that happens in it. */
  async pass(ms: number): Promise<void> {
    await this.clock.pass(ms, () => this.settle())
  }

  /** Resolves when nothing happens any more without time passing. */
  async settle(): Promise<void> {
    let before = -1
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      if (before !== this.#activity) {
        quiet = 0
        before = this.#activity
      }
      await nextTurn()
      // The manager's log files are written by other threads.
      await this.#process?.written()
    }
  }

  async close(): Promise<void> {
    await this.#process?.close()
    this.dispose()
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #ask(request: InjectOptions): Promise<Answer | undefined> {
    const asking = (await this.up()).ask(request)
    let isAnswered = false
    const noted = asking.finally(() => {
      isAnswered = true
    })
    await this.settle()
    // Some answers wait for a worker.
    while (!isAnswered) {
      await this.pass(20)
    }
    const answer = await noted
    return answer && { status: answer.statusCode, body: answer.body === '' ? {} : answer.json() }
  }

  #heard({ kind, fields }: ManagerEvent): void {
    if (kind === 'deployment' && fields.state === 'succeeded') {
      this.claims.push({ deployment: String(fields.id), served: this.engine.serves(String(fields.app)) })
    }
  }
}

/** Numbers from 0 to 1 that look random and are the same in each world, so that what went wrong once goes wrong again. */
function alwaysTheSame(): () => number {
  let last = 1
  return () => {
    last = (last * 48_271) % 2_147_483_647
    return last / 2_147_483_647
  }
}
