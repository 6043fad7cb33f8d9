import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { type LogFields, silentLogger } from '#lib/logger.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import { readConfig } from '#manager/config.ts'
import { createEvents } from '#manager/deployments/events.ts'
import { DeploymentLogs } from '#manager/deployments/logs.ts'
import { createHttpClient, type HttpClient } from '#manager/http.ts'
import { createOutbox } from '#manager/outbox/outbox.ts'
import { createPlaces } from '#manager/outbox/places.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { createFirstToken } from '#manager/people/tokens.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { createServer } from '#manager/server.ts'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'

/** What the manager told its parts. */
export interface Recorded {
  woken: number
  readonly aborted: string[]
  readonly looked: string[]
  readonly told: { host: string; command: string; params: unknown }[]
  readonly logged: { event: string; fields: LogFields | undefined }[]
}

export interface TestOptions {
  readonly environment?: Record<string, string>
  /** What a worker answers to a command. */
  readonly answer?: (command: string, params: unknown, options: TellOptions) => unknown
  /** Servers on the outside; default: the real ones. */
  readonly http?: HttpClient
  /** Default: one worker called "local". */
  readonly hosts?: readonly string[]
}

/** The real server on a real store in a temporary folder; agents, queue and poller are recorders. */
export async function testServer(options: TestOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-api-'))
  const store = await openTestDatabase(folder, systemClock.now)
  const recorded: Recorded = { woken: 0, aborted: [], looked: [], told: [], logged: [] }
  const log = (event: string, fields?: LogFields) => void recorded.logged.push({ event, fields })
  const config = readConfig({ FAIRLEAD_DATA: folder, FAIRLEAD_LISTEN: '127.0.0.1:0', ...options.environment })
  const base = {
    db: store.db,
    clock: systemClock,
    logger: { ...silentLogger, info: log, warn: log, error: log },
    sealer: await openSealer(store.db, join(folder, 'secret.key')),
    http: options.http ?? createHttpClient({ clock: systemClock, allowPrivate: config.allowPrivate }),
  }
  const agents = recordingAgents(recorded, options)
  const { publicUrl } = config
  const places = createPlaces({ ...base, agents, publicUrl, addressRules: config })
  const outbox = createOutbox({ ...base, places })
  const parts: ManagerParts = {
    ...base,
    outbox,
    events: createEvents(systemClock.now),
    logs: new DeploymentLogs(join(folder, 'logs')),
    agents,
    registry: undefined,
    baseDomain: config.baseDomain,
    deadlines: config.deadlines,
    allow: config,
    keepReleases: config.keepReleases,
    mostUnattended: config.mostUnattended,
    wake: () => void recorded.woken++,
    config,
    queue: {
      wake: () => void recorded.woken++,
      abort: id => void recorded.aborted.push(id),
      hold: async () => ({ atWork: 0, release: () => undefined }),
    },
    poller: { look: id => void recorded.looked.push(id), forget: () => undefined },
    identity: () => {
      const place = { folder: join(folder, 'identity'), clock: systemClock }
      return publicIdentity(loadOrCreateIdentity({ ...place, name: 'manager', role: 'manager' }))
    },
  }
  let token = ''
  await createFirstToken(parts, made => {
    token = made
  })
  for (const name of options.hosts ?? ['local']) {
    const row = {
      name,
      role: 'worker',
      address: 'localhost:1',
      identity: '{"keyId":"0"}',
      created_at: 1,
    } as const
    await store.db.insertInto('hosts').values(row).execute()
  }
  const server = await createServer(parts)
  return {
    server,
    parts,
    recorded,
    token,
    folder,
    /** Asks as the owner of the token. */
    ask: async (
      method: InjectOptions['method'],
      url: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) =>
      await server.inject({
        method: method ?? 'GET',
        url,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      }),
    async close() {
      await server.close()
      await outbox.close()
      await store.close()
      leaveTestDatabase(folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type TestServer = Awaited<ReturnType<typeof testServer>>

/** A repository with an app and its deployed release, written straight into the store. */
export async function seedApp(
  { parts: { db } }: TestServer,
  name: string,
): Promise<{ repository: string; app: string }> {
  const ids = { repository: newId(), app: newId() }
  const times = { version: 1, created_at: 1, updated_at: 1 }
  const remote = { url: 'https://git.example.org/x.git', branch: 'main', host: 'local', poll_seconds: 300 }
  await db
    .insertInto('repositories')
    .values({ id: ids.repository, name: `${name}-repo`, auto_apps: 0, poll_failures: 0, ...remote, ...times })
    .execute()
  const settings = { entry: name, target: 'container', overrides: '{}', host: 'local' }
  await db
    .insertInto('apps')
    .values({ id: ids.app, name, repository_id: ids.repository, ...settings, ...times })
    .execute()
  return ids
}

function recordingAgents(recorded: Recorded, { answer, hosts = ['local'] }: TestOptions): Agents {
  return {
    async tell(host, options) {
      const { command, params } = options
      if (!hosts.includes(host)) {
        throw HOST_NOT_FOUND(host)
      }
      recorded.told.push({ host, command, params })
      return (await answer?.(command, params, options)) ?? {}
    },
    resume: async () => ({}),
    state: () => undefined,
    refresh: async () => undefined,
    rekey: async () => 'f'.repeat(64),
    reconnect: async () => undefined,
    close: async () => undefined,
  }
}
