import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EarlierTarget, Gate, Switchboard } from '#commands/command.ts'
import { tokenFile } from '#commands/container-token.ts'
import { isRouteName } from '#commands/route-name.ts'
import type { Clock } from '#lib/clock.ts'
import { PLAIN_PAGE_HEADERS, type PlainPage, plainPage } from '#lib/plain-page.ts'
import { GATE_HEADERS, serverName } from '#programs/caddy-gate.ts'
import { type AskedVisit, answerVisit, isVisit, knownVisit } from './gate-answer.ts'
import { GATE_PORT_TAKEN } from './gate-errors.ts'
import { choicePage, loginFor, refusalPage, WAITING_PAGES } from './gate-pages.ts'
import { openGateRecord } from './gate-record.ts'
import { type CookiePlace, cookieNameOf, type Visit, writeVisit } from './gate-visits.ts'
import { createWaker, type WakerOptions } from './gate-waker.ts'

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
  readonly switchboard: Pick<Switchboard, 'current' | 'earlier'>
  /** host:port; port 0 takes a free one. */
  readonly listen: string
  readonly clock: Clock
  /** Whether what serves a name answers; brings it to do so. Default: it does. */
  readonly wake?: WakerOptions['wake'] | undefined
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
  const waker = createWaker({
    ...options,
    deploymentOf: name => options.switchboard.current(name)?.deployment,
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { name, base } = placeIn(request.url ?? '')
    const asked = askedBy(request, base)
    const now = clock.now()
    const said = isRouteName(name)
      ? answerVisit(asked, record.key(name), now)
      : ({ kind: 'unknown' } as const)
    const isOver = 'visit' in said && record.isExpelled(said.visit.visitor)
    const decided = isOver ? ({ kind: 'unknown' } as const) : said
    if (decided.kind === 'move' || decided.kind === 'stay') {
      const { visit, kind, to } = decided
      const stays = kind === 'stay' ? earlierFor(visit, name)?.deployment : undefined
      const chosen = stays === undefined ? { ...visit, since: now, stays } : { ...visit, stays }
      return letIn(response, { asked, name, visit: chosen, to })
    }
    const earlier = decided.kind === 'pass' ? earlierFor(decided.visit, name) : undefined
    if (decided.kind === 'pass' && earlier) {
      return isVisit(asked) && earlier.state === 'kept' && decided.visit.stays !== earlier.deployment
        ? refuse(response, 300, choicePage(asked))
        : await pass(response, name, earlier.deployment)
    }
    if (decided.kind === 'pass') {
      if (isVisit(asked)) {
        visits.set(name, now)
      }
      const starting = clock.sleep(PATIENCE_MS).then(() => 'waking' as const)
      const awake = await Promise.race([waker.ask(name, isVisit(asked)), starting])
      if (awake !== 'awake') {
        return refuse(response, 503, WAITING_PAGES[awake])
      }
      return await pass(response, name)
    }
    if (decided.kind === 'open') {
      const visitor = record.spend(name, sha256(decided.ticket), now)
      if (visitor !== undefined) {
        // Who works with an earlier one and follows a link goes on there, and is asked.
        const known = knownVisit(asked, record.key(name), now)
        const visit = { visitor, until: now + VISIT_MS, since: known?.since ?? now, stays: known?.stays }
        return letIn(response, { asked, name, visit, to: decided.to })
      }
    }
    const login = headerOf(request, GATE_HEADERS.login)
    refuse(
      response,
      decided.kind === 'foreign' ? 403 : 401,
      refusalPage(decided.kind, login && loginFor(login, asked)),
    )
  }

  /** What served when they came, where it is still there. */
  function earlierFor({ since }: Visit, name: string): EarlierTarget | undefined {
    return options.switchboard.earlier.of(name).find(each => each.since > since)
  }

  /** The proxy goes on: to what serves, or to what served with that deployment. */
  async function pass(response: ServerResponse, name: string, earlier?: string): Promise<void> {
    const token = await tokenOf(options, name, earlier)
    response.writeHead(200, {
      [GATE_HEADERS.server]: serverName(name, earlier),
      ...(token === undefined ? {} : { [GATE_HEADERS.authorization]: `token ${token}` }),
    })
    response.end()
  }

  function letIn(response: ServerResponse, { asked, name, visit, to }: Entering): void {
    const seconds = Math.ceil((visit.until - clock.now()) / 1_000)
    response.writeHead(303, {
      location: `${asked.base}${to.slice(1)}`,
      'set-cookie': cookie(asked, writeVisit(visit, record.key(name) ?? ''), seconds),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    response.end()
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
    expel: visitors => record.expel(visitors, { now: clock.now(), until: clock.now() + VISIT_MS }),
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

interface Entering {
  readonly asked: AskedVisit
  readonly name: string
  readonly visit: Visit
  /** Below the base. */
  readonly to: string
}

/** `/churn`, or `/churn/nb/churn/` where the name has that part of its host. */
function placeIn(url: string): { name: string; base: string } {
  const [, name = '', base = ''] = /^\/([^/?]*)([^?]*)/.exec(url) ?? []
  return { name, base: base || '/' }
}

function askedBy(request: IncomingMessage, base: string): AskedVisit {
  const told = (name: string) => headerOf(request, name)
  return {
    method: told(GATE_HEADERS.method) ?? '',
    uri: told(GATE_HEADERS.uri) ?? '',
    base,
    host: told('host') ?? '',
    scheme: told(GATE_HEADERS.scheme) ?? '',
    isUpgrade: Boolean(told(GATE_HEADERS.upgrade)),
    cookie: told('cookie'),
    origin: told('origin'),
    fetchSite: told('sec-fetch-site'),
    fetchMode: told('sec-fetch-mode'),
    accept: told('accept'),
  }
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Read each time: a container that starts anew has a new one. */
async function tokenOf(
  { workspace, switchboard }: GateOptions,
  name: string,
  earlier: string | undefined,
): Promise<string | undefined> {
  const deployment = earlier ?? switchboard.current(name)?.deployment
  const file = deployment && tokenFile(workspace, { app: name, deployment })
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '')
  return text.trim() || undefined
}

function cookie(place: CookiePlace, value: string, seconds: number): string {
  const secure = place.scheme === 'https' ? '; Secure' : ''
  return `${cookieNameOf(place)}=${value}; Path=${place.base}; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`
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
