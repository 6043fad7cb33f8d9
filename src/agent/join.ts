import { randomBytes } from 'node:crypto'
import { connect, isIP } from 'node:net'
import {
  AgentAddress,
  JoinAnswer,
  type JoinBody,
  JoinedStatement,
  type JoinStatement,
} from '#contract/rest/join.ts'
import { ProblemDocument } from '#contract/rest/problem.ts'
import { check, problemsOf } from '#lib/check.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { isProvenStatement, type JoinToken, proveStatement, readJoinToken } from '#link/join-token.ts'
import { type Pin, pinOf, type Role } from '#link/public-identity.ts'
import { parseStrict } from '#link/strict-json.ts'
import {
  JOIN_ADDRESS_INVALID,
  JOIN_MANAGER_INVALID,
  JOIN_MANAGER_UNREACHABLE,
  JOIN_NOT_PROVEN,
  JOIN_NOT_REACHABLE,
} from './join-errors.ts'
import { peersIn } from './peers.ts'

export interface JoinOptions {
  /** Where the agent keeps its identity and its pins. */
  readonly data: string
  /** For an identity that is made now; there is only one, so an old one keeps its name. */
  readonly name: string
  readonly role: Exclude<Role, 'manager'>
  readonly listen: { readonly host: string; readonly port: number }
  /** The variable that says where it listens. */
  readonly listenVariable: string
  readonly clock: Clock
  readonly token: string
  /** Origin of the manager. */
  readonly manager: string
  /** host:port that the manager is to dial; default: where the agent listens. */
  readonly address?: string | undefined
}

export interface Joined {
  /** The name under which the manager knows this host. */
  readonly host: string
  readonly address: string
  readonly manager: Pin
}

const ANSWER_MS = 15_000
const TRIES = 3
const AGAIN_MS = 1_000

/**
 * Enrols this agent at the manager that made the token, and pins that manager. Neither believes the network: each
 * proves with the secret of the token what it says. Run again after any failure: identity and pins stay as they are.
 */
export async function join(options: JoinOptions): Promise<Joined> {
  const token = readJoinToken(options.token)
  const manager = readManager(options.manager)
  const address = await addressFor(options, manager)
  const { data: folder, clock, name, role } = options
  const identity = loadOrCreateIdentity({ folder, clock, name, role })
  const statement: JoinStatement = {
    nonce: randomBytes(16).toString('base64url'),
    address,
    identity: { ...publicIdentity(identity) },
  }
  const text = JSON.stringify(statement)
  const proof = proveStatement(token.secret, { by: 'host', tokenId: token.id, text, answers: '' })
  const answer = await send(manager, { token: token.id, statement: text, proof }, clock)
  const { host, pin } = believe(answer, { token, answers: text, manager })
  peersIn(folder).trust(pin)
  return { host, address, manager: pin }
}

function readManager(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.pathname !== '/') {
    throw JOIN_MANAGER_INVALID(text)
  }
  return url
}

/** Where the manager finds this agent: what was said, or where it listens; on all addresses, the one towards the manager. */
async function addressFor({ address, listen, listenVariable }: JoinOptions, manager: URL): Promise<string> {
  if (address !== undefined) {
    if (problemsOf(AgentAddress, address).length > 0 || Number(address.split(':').at(-1)) > 65_535) {
      throw JOIN_ADDRESS_INVALID(address)
    }
    return address
  }
  const found = dialAddress(listen, await wayTo(manager))
  if (found === undefined) {
    throw JOIN_NOT_REACHABLE(`${listen.host}:${listen.port}`, listenVariable)
  }
  return found
}

/** The two ends of a connection to the manager. */
interface Way {
  readonly from: string
  readonly to: string
}

/** What the manager is to dial; undefined: it is elsewhere, and the agent listens for its own machine only. */
export function dialAddress({ host: listened, port }: JoinOptions['listen'], way: Way): string | undefined {
  const host = listened === '0.0.0.0' || listened === '::' ? way.from : listened
  if (isLoopback(host) && !isLoopback(way.to)) {
    return undefined
  }
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

async function wayTo(manager: URL): Promise<Way> {
  const port = Number(manager.port) || (manager.protocol === 'https:' ? 443 : 80)
  const { promise, resolve, reject } = Promise.withResolvers<Way>()
  const socket = connect({ host: manager.hostname.replace(/^\[|\]$/g, ''), port, timeout: ANSWER_MS })
  socket.on('connect', () => resolve({ from: plain(socket.localAddress), to: plain(socket.remoteAddress) }))
  socket.on('timeout', () => reject(JOIN_MANAGER_UNREACHABLE(manager.origin, 'no connection in time')))
  socket.on('error', (error: Error) => reject(JOIN_MANAGER_UNREACHABLE(manager.origin, error.message)))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** Sends it again when no answer came: the manager answers a repeated request as it did before. */
async function send(manager: URL, body: JoinBody, clock: Clock): Promise<JoinAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendOnce(manager, body)
    } catch (error) {
      if (!JOIN_MANAGER_UNREACHABLE.matches(error) || attempt === TRIES) {
        throw error
      }
      await clock.sleep(AGAIN_MS * attempt)
    }
  }
}

async function sendOnce(manager: URL, body: JoinBody): Promise<JoinAnswer> {
  const answer = await fetch(new URL('/api/v1/join', manager), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: Error) => {
    throw JOIN_MANAGER_UNREACHABLE(
      manager.origin,
      `${(error.cause as Error | undefined)?.message ?? error.message}`,
    )
  })
  const text = await answer.text()
  if (!answer.ok) {
    throw refusalIn(text) ?? JOIN_MANAGER_UNREACHABLE(manager.origin, `it answered ${answer.status}`)
  }
  try {
    return check(JoinAnswer, JSON.parse(text), 'The answer')
  } catch (error) {
    throw JOIN_NOT_PROVEN(manager.origin, asFairleadError(error).message)
  }
}

/** The manager's own words, which are not proven: good for reading only. */
function refusalIn(text: string): FairleadError | undefined {
  try {
    const { code, detail, hint, retry, status } = check(ProblemDocument, JSON.parse(text), 'The answer')
    return new FairleadError({ code, message: detail, hint, retry, status })
  } catch {
    return undefined
  }
}

function believe(
  { statement, proof }: JoinAnswer,
  { token, answers, manager }: { token: JoinToken; answers: string; manager: URL },
): { readonly host: string; readonly pin: Pin } {
  const said = { by: 'manager', tokenId: token.id, text: statement, answers } as const
  if (!isProvenStatement(token.secret, said, proof)) {
    throw JOIN_NOT_PROVEN(manager.origin, 'it does not have the secret of the token')
  }
  const joined = check(JoinedStatement, parseStrict(statement), 'The answer of the manager')
  const pin = pinOf(joined.manager, 'The identity of the manager')
  if (pin.role !== 'manager' || pin.keyId !== token.managerKeyId) {
    throw JOIN_NOT_PROVEN(manager.origin, 'its key is not the one that the token names')
  }
  return { host: joined.host, pin }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function plain(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
