import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { isGuarded } from '#programs/caddy-gate.ts'
import { tokenOf } from '#programs/caddy-route.ts'
import { defineCommand, type Hands } from './command.ts'
import { sleeps } from './container-sleep.ts'
import { mustReach } from './engine-reach.ts'
import { readNameRoutes } from './proxy-config.ts'
import { Asked, isExpected, Proof } from './route-data.ts'
import { ROUTE_NOT_ANSWERING } from './route-errors.ts'
import { proveRoute } from './route-proof.ts'

const strict = { additionalProperties: false } as const

/** What runs already answers at once or not at all: nobody is waited for. */
const WITHIN_MS = 5_000
const CERTIFICATE_MS = 500

const AskedRoute = Type.Object(Asked, strict)
type AskedRoute = Static<typeof AskedRoute>

const Verified = Type.Object(
  {
    /** Why visitors do not get what they should; null when they do. */
    fault: Type.Union([Type.String(), Type.Null()]),
    ...Proof,
  },
  strict,
)
type Verified = Static<typeof Verified>

export const routeVerify = defineCommand({
  name: 'route.verify',
  summary: 'Asks for names through the proxy whether the wanted container answers them, and changes nothing.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ routes: Type.Array(AskedRoute, { maxItems: 50 }) }, strict),
  result: Type.Object({ routes: Type.Record(Type.String(), Verified) }, strict),
  deadlineMs: 120_000,
  async run(hands, { routes }) {
    const verified = await Promise.all(
      routes.map(async route => [route.name, await verify(hands, route)] as const),
    )
    return { routes: Object.fromEntries(verified) }
  },
})

async function verify(hands: Hands, { name, hosts, prefix, ip, port, probe }: AskedRoute): Promise<Verified> {
  const reach = await mustReach(hands, { name, ip, port }, 'a route')
  const { http } = await readNameRoutes(hands, name)
  if (http && isGuarded(http) && (await sleeps(hands, name))) {
    // It would be woken for nobody. Who visits it gets it.
    return { fault: null, answers: [], tls: [] }
  }
  const token = tokenOf(http)
  if (token === undefined) {
    return { fault: `the proxy has no route for "${name}"`, answers: [], tls: [] }
  }
  try {
    const proof = await proveRoute(hands, {
      hosts,
      upstream: `${reach.ip}:${reach.port}`,
      token,
      path: probe?.path ?? prefix ?? '/',
      isExpected: status => isExpected(probe?.expect, status),
      withinMs: Math.min(probe?.withinMs ?? WITHIN_MS, WITHIN_MS),
      certificateMs: CERTIFICATE_MS,
      proofs: 1,
    })
    return { fault: null, ...proof }
  } catch (error) {
    if (!ROUTE_NOT_ANSWERING.matches(error)) {
      throw error
    }
    return { fault: asFairleadError(error).message, answers: [], tls: [] }
  }
}
