import { asFairleadError } from '#lib/errors.ts'
import { isInternalHost } from '#lib/internal-host.ts'
import { type ProbeAnswer, probeThroughProxy, readAuthority } from '#programs/caddy.ts'
import { SCHEMES, type Scheme } from '#programs/caddy-route.ts'
import type { Hands } from './command.ts'
import { askProxy, proxyOf } from './proxy-config.ts'
import { ROUTE_NOT_ANSWERING } from './route-errors.ts'
import { isIpv4 } from './subnet.ts'

const ATTEMPT_MS = 4_000

export interface Goal {
  readonly hosts: readonly string[]
  /** ip:port that must have answered. */
  readonly upstream: string
  readonly token: string
  readonly path: string
  readonly isExpected: (status: number) => boolean
  readonly withinMs: number
  /** How long a public certificate is waited for. */
  readonly certificateMs: number
  /** Answers in a row: after a switch one could be luck, while the proxy falls back to both slots. */
  readonly proofs: number
}

export interface RouteAnswer {
  readonly host: string
  readonly scheme: Scheme
  readonly status: number
  /** Of the answer that proved it. */
  readonly ms: number
}

/** Whose certificate a host has, and whether it was there when the route was proved. */
export interface HostCertificate {
  readonly host: string
  readonly issuer: 'internal' | 'public'
  readonly ready: boolean
  /** What visitors over HTTPS meet while it is not there. */
  readonly problem?: string
}

export interface RouteProof {
  readonly answers: RouteAnswer[]
  readonly tls: HostCertificate[]
}

/**
 * Asks every host through the proxy, over HTTP and HTTPS, until the wanted container is seen to answer as expected.
 * A public certificate that is still to come is reported and not an error: its issuer is outside of this host.
 */
export async function proveRoute(hands: Hands, goal: Goal): Promise<RouteProof> {
  const ca = goal.hosts.some(isInternalHost) ? await readRootCertificate(hands) : undefined
  const started = hands.clock.monotonic()
  const places = SCHEMES.flatMap(scheme =>
    goal.hosts
      // An address in a URL has no name that a certificate could be chosen by.
      .filter(host => scheme === 'http' || !isIpv4(host))
      .map(host => ({ host, scheme, ca, started })),
  )
  const proofs = await allOrNone(hands, each => places.map(place => proveHost(each, goal, place)))
  return {
    answers: proofs.flatMap(proof => proof.answer ?? []),
    tls: proofs.flatMap(proof => proof.certificate ?? []),
  }
}

/** As Promise.all, but the others end when one has failed. */
async function allOrNone<T>(hands: Hands, start: (each: Hands) => Promise<T>[]): Promise<T[]> {
  const ended = new AbortController()
  try {
    return await Promise.all(start({ ...hands, signal: AbortSignal.any([hands.signal, ended.signal]) }))
  } finally {
    ended.abort()
  }
}

interface Place {
  readonly host: string
  readonly scheme: Scheme
  readonly ca: string | undefined
  readonly started: number
}

interface HostProof {
  readonly answer: RouteAnswer | undefined
  readonly certificate: HostCertificate | undefined
}

async function proveHost(hands: Hands, goal: Goal, place: Place): Promise<HostProof> {
  const { host, scheme } = place
  const issuer = isInternalHost(host) ? 'internal' : 'public'
  const mayBeLate = scheme === 'https' && issuer === 'public'
  const withinMs = mayBeLate ? Math.min(goal.withinMs, goal.certificateMs) : goal.withinMs
  const certificate = scheme === 'https' ? ({ host, issuer } as const) : undefined
  try {
    const answer = await answerOf(hands, goal, { ...place, deadline: place.started + withinMs })
    return { answer, certificate: certificate && { ...certificate, ready: true } }
  } catch (error) {
    if (mayBeLate && certificate && !hands.signal.aborted && !wasAnswered(error)) {
      const problem = asFairleadError(error).message
      hands.say(`The certificate of ${host} is not there yet; the proxy goes on asking for it.`, 'info')
      hands.say(`hint: ${certificateHint(host)}`, 'info')
      return { answer: undefined, certificate: { ...certificate, ready: false, problem } }
    }
    throw error
  }
}

/** A status came back over HTTPS: the certificate is there, and something else is wrong. */
function wasAnswered(error: unknown): boolean {
  return asFairleadError(error).facts?.status !== 0
}

function certificateHint(host: string): string {
  return `Visitors of https://${host} meet a warning until then. Its issuer must reach this host: let the name lead here and ports 80 and 443 through.`
}

async function answerOf(hands: Hands, goal: Goal, place: Place & { deadline: number }): Promise<RouteAnswer> {
  let pauseMs = 5
  let proofs = 0
  for (;;) {
    hands.signal.throwIfAborted()
    const asked = hands.clock.monotonic()
    const attempt = await probeOnce(hands, goal, place)
    const now = hands.clock.monotonic()
    proofs = attempt.fault === undefined ? proofs + 1 : 0
    if (attempt.status !== undefined && proofs >= goal.proofs) {
      return { host: place.host, scheme: place.scheme, status: attempt.status, ms: Math.round(now - asked) }
    }
    if (attempt.fault !== undefined) {
      if (now + pauseMs > place.deadline) {
        throw notAnswering(goal, place, attempt)
      }
      await hands.clock.sleep(pauseMs, hands.signal)
      // Caddy's knowledge is 50 ms old at most, so a healthy switch is seen in the first few tries.
      pauseMs = now - place.started < 150 ? 5 : Math.min(500, pauseMs * 1.6)
    }
  }
}

interface Attempt {
  /** Why this answer is not the wanted one. */
  readonly fault: string | undefined
  readonly status?: number
  readonly lastLine?: string
}

async function probeOnce(hands: Hands, goal: Goal, place: Place & { deadline: number }): Promise<Attempt> {
  const proxy = proxyOf(hands)
  const leftMs = Math.ceil(place.deadline - hands.clock.monotonic())
  try {
    const answer = await hands.perform(
      probeThroughProxy({
        scheme: place.scheme,
        port: place.scheme === 'http' ? proxy.httpPort : proxy.httpsPort,
        host: place.host,
        path: goal.path,
        token: goal.token,
        ca: isInternalHost(place.host) ? place.ca : undefined,
        timeoutMs: Math.min(ATTEMPT_MS, Math.max(250, leftMs)),
      }),
    )
    return { status: answer.status, lastLine: answer.lastLine, fault: faultOf(goal, answer) }
  } catch (error) {
    hands.signal.throwIfAborted()
    return { fault: asFairleadError(error).message }
  }
}

function faultOf(goal: Goal, { status, upstream }: ProbeAnswer): string | undefined {
  if (upstream === undefined) {
    return `the proxy got no answer from ${goal.upstream} (status ${status})`
  }
  if (upstream !== goal.upstream) {
    return `${upstream} answered (status ${status}), not ${goal.upstream}`
  }
  return goal.isExpected(status) ? undefined : `status ${status} is not the expected one`
}

function notAnswering(goal: Goal, { host, scheme }: Place, { fault, status, lastLine }: Attempt): Error {
  const what = `${fault ?? 'no answer'}${lastLine ? `; it says: ${lastLine}` : ''}`
  return ROUTE_NOT_ANSWERING(`${scheme}://${host}${goal.path}`, what).with({
    facts: { host, scheme, status: status ?? 0, lastLine: lastLine ?? '', upstream: goal.upstream },
  })
}

async function readRootCertificate(hands: Hands): Promise<string | undefined> {
  const answer = await askProxy(hands, readAuthority(proxyOf(hands).adminOrigin))
  return answer.value?.root_certificate
}
