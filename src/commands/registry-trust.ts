import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import type { FairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { giveCredential, listServices } from '#programs/docker-swarm.ts'
import { tryLogin } from '#programs/engine-facts.ts'
import type { SwarmService } from '#programs/swarm-facts.ts'
import { defineCommand, type Hands, type HostFacts } from './command.ts'
import { LABEL } from './container-data.ts'
import { LOCAL_ENGINE } from './engine.ts'
import { onEveryEngine } from './host-engines.ts'
import { RegistryData } from './image-data.ts'
import { ENGINE_WITHOUT_TRUST, TRUST_REFUSED } from './registry-errors.ts'

const strict = { additionalProperties: false } as const
const MOST_BYTES = 65_536

const TrustData = Type.Object(
  {
    access: RegistryData,
    /** Absent: its authority is known to systems. */
    certificate: Type.Optional(
      Type.String({ pattern: '^-----BEGIN CERTIFICATE-----', maxLength: MOST_BYTES }),
    ),
  },
  strict,
)
type TrustData = Static<typeof TrustData>

const TrustResult = Type.Object(
  {
    /** Where the certificate lies for the engine of this host; null: the policy names no folder. */
    file: Type.Union([Type.String(), Type.Null()]),
    changed: Type.Boolean(),
    /** Of each engine, why it cannot log in; null: it can. */
    engines: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          problem: Type.Union([Type.String(), Type.Null()]),
          hint: Type.Union([Type.String(), Type.Null()]),
          /** Services of its swarm that pull with this account from now on. */
          services: Type.Array(Type.String()),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type TrustResult = Static<typeof TrustResult>

export const registryTrust = defineCommand({
  name: 'registry.trust',
  summary:
    "Lets the engine of this host trust a registry's certificate, where the policy allows it, tells which engines log in there, and gives the account to services of our apps.",
  role: 'worker',
  engineFree: true,
  data: TrustData,
  result: TrustResult,
  deadlineMs: 60_000,
  lock: ({ access }) => `trust:${access.address}`,
  run: trust,
})

/** The engine of this host takes the certificate from a file; whether the others take it is asked of themselves. */
async function trust(hands: Hands, { access, certificate }: TrustData): Promise<TrustResult> {
  const { host } = hands
  const { policy } = host
  const written =
    policy.trust === undefined || certificate === undefined
      ? undefined
      : await write(hands, policy.trust, { address: access.address, certificate })
  const asked = await onEveryEngine(hands, on => logIn(on, access))
  return {
    file: written?.file ?? null,
    changed: written?.changed ?? false,
    engines: asked.map(({ engine, done, problem }) => {
      const { message, hint } =
        problem ?? refusalOf(host, engine.name, { access, certificate, words: done?.refusal }) ?? {}
      const services = [...(done?.services ?? [])]
      return { name: engine.name, problem: message ?? null, hint: hint ?? null, services }
    }),
  }
}

interface LoggedIn {
  /** In the words of the engine; undefined: it logs in. */
  readonly refusal: string | undefined
  readonly services: readonly string[]
}

/** A service keeps the account that it was deployed with, and would pull with it on the next node that needs its image. */
async function logIn({ host, perform, say }: Hands, access: RegistryData): Promise<LoggedIn> {
  const { dockerSocket } = host
  const { address, username, password } = access
  const credential = { address, username, password: new Secret(password) }
  const refusal = await perform(tryLogin(dockerSocket, credential))
  if (refusal !== undefined) {
    return { refusal, services: [] }
  }
  const given: string[] = []
  for (const service of (await perform(listServices(dockerSocket))).filter(each => isOurs(each, address))) {
    const isGiven = await perform(giveCredential(dockerSocket, service, credential))
    if (isGiven) {
      given.push(service.name)
    } else {
      say(`the service ${service.name} is being changed by somebody else; its account is theirs`, 'info')
    }
  }
  return { refusal, services: given }
}

function isOurs({ labels, image }: SwarmService, address: string): boolean {
  return labels[LABEL.app] !== undefined && image.startsWith(`${address}/`)
}

interface Refused {
  readonly access: RegistryData
  readonly certificate: string | undefined
  /** Of the engine; undefined: it logs in. */
  readonly words: string | undefined
}

function refusalOf(
  host: HostFacts,
  engine: string,
  { access, certificate, words }: Refused,
): FairleadError | undefined {
  if (words === undefined) {
    return undefined
  }
  const isByPolicy = engine === LOCAL_ENGINE && host.policy.trust === undefined && certificate !== undefined
  return isByPolicy
    ? TRUST_REFUSED(host.name, access.address)
    : ENGINE_WITHOUT_TRUST(engine, access.address, words)
}

async function write(
  { perform, say }: Hands,
  within: string,
  { address, certificate }: { readonly address: string; readonly certificate: string },
): Promise<{ file: string; changed: boolean }> {
  const folder = join(within, address)
  const path = join(folder, 'ca.crt')
  const before = await perform<string | undefined>({
    kind: 'file',
    operation: 'read',
    path,
    within,
    maxBytes: MOST_BYTES,
    read: found => found.text,
  })
  if (before === certificate) {
    return { file: path, changed: false }
  }
  await perform<void>({
    kind: 'file',
    operation: 'make-folder',
    path: folder,
    within,
    mode: 0o755,
    read: () => {},
  })
  await perform<void>({
    kind: 'file',
    operation: 'write',
    path,
    within,
    content: certificate,
    mode: 0o644,
    read: () => {},
  })
  say(`the engine trusts ${address} from now on`, 'info')
  return { file: path, changed: true }
}
