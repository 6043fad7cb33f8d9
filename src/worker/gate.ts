import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Gate, Switchboard } from '#commands/command.ts'
import type { Awake } from '#commands/container-sleep.ts'
import { tokenFile } from '#commands/container-token.ts'
import { isRouteName } from '#commands/route-name.ts'
import type { Clock } from '#lib/clock.ts'
import { PLAIN_PAGE_HEADERS, type PlainPage, plainPage } from '#lib/plain-page.ts'
import { GATE_HEADERS } from '#programs/caddy-gate.ts'
import { type AskedVisit, answerVisit, isVisit } from './gate-answer.ts'
import { GATE_PORT_TAKEN } from './gate-errors.ts'
import { openGateRecord } from './gate-record.ts'
import { cookieNameOf, writeVisit } from './gate-visits.ts'
import { createWaker } from './gate-waker.ts'

/** The page asks again by itself until the app answers. */
const STARTING: PlainPage = {
  title: 'Starting …',
  text: 'It was stopped because nobody used it. It takes a few seconds.',
  again: 1,
}
const NOT_THERE: PlainPage = {
  title: 'It does not run',
  text: 'Nothing of it could be started. Whoever looks after it finds out why with "fairlead status".',
  again: 15,
}

/** The proxy gives up waiting for an answer after 5 s. */
const PATIENCE_MS = 2_000

/** A working day: then the link is opened again. */
const VISIT_MS = 12 * 3_600_000

export interface GateOptions {
  /** Holds `gate.json`. */
  readonly folder: string
  /** Holds the tokens of containers. */
  readonly workspace: string
  /** Whose container serves a name. */
  readonly switchboard: Pick<Switchboard, 'current'>
  /** host:port; port 0 takes a free one. */
  readonly listen: string
  readonly clock: Clock
  /** Whether what serves a name answers; brings it to do so. Default: it does. */
  readonly wake?: (name: string, isVisit: boolean) => Promise<Awake>
}

export interface OpenGate extends Gate {
  close(): Promise<void>
}

/**
 * Answers the proxy's question whether a request may pass to a guarded name: 200 with what the app wants to see, or the
 * page that the visitor gets instead. It speaks HTTP to this machine only.
 */
export async function openGate(options: GateOptions): Promise<OpenGate> {
  const { folder, listen, clock } = options
  const record = openGateRecord(folder)
  const [host = '127.0.0.1', port = '0'] = listen.split(':')
  const visits = new Map<string, number>()
  const waker = createWaker(options)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = (request.url ?? '').slice(1).replace(/\?.*$/s, '')
    const asked = askedBy(request)
    const now = clock.now()
    const decided = isRouteName(name)
      ? answerVisit(asked, record.key(name), now)
      : ({ kind: 'unknown' } as const)
    if (decided.kind === 'pass') {
      if (isVisit(asked)) {
        visits.set(name, now)
      }
      const starting = clock.sleep(PATIENCE_MS).then(() => 'waking' as const)
      const awake = await Promise.race([waker.ask(name, isVisit(asked)), starting])
      if (awake !== 'awake') {
        return refuse(response, 503, awake === 'waking' ? STARTING : NOT_THERE)
      }
      const token = await tokenOf(options, name)
      response.writeHead(200, token === undefined ? {} : { [GATE_HEADERS.authorization]: `token ${token}` })
      response.end()
      return
    }
    if (decided.kind === 'open') {
      const visitor = record.spend(name, sha256(decided.ticket), now)
      const key = record.key(name)
      if (visitor !== undefined && key !== undefined) {
        const visit = writeVisit({ visitor, until: now + VISIT_MS }, key)
        response.writeHead(303, {
          location: decided.to,
          'set-cookie': cookie(asked.scheme, visit),
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
        response.end()
        return
      }
    }
    const login = headerOf(request, GATE_HEADERS.login)
    refuse(response, decided.kind === 'foreign' ? 403 : 401, pageOf(decided.kind, login))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      response.writeHead(500).end()
    })
  })
  try {
    await once(server.listen(Number(port), host), 'listening')
  } catch (cause) {
    throw GATE_PORT_TAKEN(listen).with({ cause })
  }
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    admit: (name, admission) => record.admit(name, admission, clock.now()),
    forget: record.forget,
    visitedAt: name => visits.get(name),
    sleeps: {
      ...record.sleeps,
      begin(app, deployment) {
        waker.forget(app)
        record.sleeps.begin(app, deployment)
      },
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function askedBy(request: IncomingMessage): AskedVisit {
  const told = (name: string) => headerOf(request, name)
  return {
    method: told(GATE_HEADERS.method) ?? '',
    uri: told(GATE_HEADERS.uri) ?? '',
    host: told('host') ?? '',
    scheme: told(GATE_HEADERS.scheme) ?? '',
    isUpgrade: Boolean(told(GATE_HEADERS.upgrade)),
    cookie: told('cookie'),
    origin: told('origin'),
    fetchSite: told('sec-fetch-site'),
    fetchMode: told('sec-fetch-mode'),
  }
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Read each time: a container that starts anew has a new one. */
async function tokenOf({ workspace, switchboard }: GateOptions, name: string): Promise<string | undefined> {
  const deployment = switchboard.current(name)?.deployment
  const file = deployment && tokenFile(workspace, { app: name, deployment })
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '')
  return text.trim() || undefined
}

function cookie(scheme: string, value: string): string {
  const secure = scheme === 'https' ? '; Secure' : ''
  return `${cookieNameOf(scheme)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${VISIT_MS / 1_000}${secure}`
}

function pageOf(kind: 'open' | 'unknown' | 'foreign', login: string | undefined): PlainPage {
  const link = login === undefined ? undefined : { href: login, text: 'Open it through Fairlead' }
  if (kind === 'open') {
    const text = 'A link opens once, and for a few minutes. Ask for a new one.'
    return { title: 'This link has been used or is too old', text, link }
  }
  if (kind === 'foreign') {
    const text = 'Another site asked for this in your name, which is not allowed.'
    return { title: 'Not from another site', text }
  }
  const text =
    'Whoever may open it gets a link: on a command line with "fairlead open", then the name of the app.'
  return { title: 'This is not open to everybody', text, link }
}

function refuse(response: ServerResponse, status: number, page: PlainPage): void {
  response.writeHead(status, {
    ...PLAIN_PAGE_HEADERS,
    ...(page.again === undefined ? {} : { 'retry-after': String(page.again) }),
  })
  response.end(plainPage(page))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
