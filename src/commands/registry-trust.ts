import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import type { FairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { tryLogin } from '#programs/engine-facts.ts'
import { defineCommand, type Hands, type HostFacts } from './command.ts'
import { LOCAL_ENGINE } from './engine.ts'
import { onEveryEngine } from './host-engines.ts'
import { RegistryData } from './image-data.ts'
import { ENGINE_WITHOUT_TRUST, TRUST_REFUSED } from './registry-errors.ts'

const strict = { additionalProperties: false } as const
const MOST_BYTES = 65_536

const TrustData = Type.Object(
  {
    access: RegistryData,
    certificate: Type.String({ pattern: '^-----BEGIN CERTIFICATE-----', maxLength: MOST_BYTES }),
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
    "Lets the engine of this host trust a registry's certificate, where the policy allows it, and tells which engines log in there.",
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
  const { address, username, password } = access
  const written =
    policy.trust === undefined ? undefined : await write(hands, policy.trust, { access, certificate })
  const asked = await onEveryEngine(hands, ({ host: { dockerSocket }, perform }) =>
    perform(tryLogin(dockerSocket, { address, username, password: new Secret(password) })),
  )
  return {
    file: written?.file ?? null,
    changed: written?.changed ?? false,
    engines: asked.map(({ engine, done, problem }) => {
      const { message, hint } = problem ?? refusalOf(host, engine.name, { access, words: done }) ?? {}
      return { name: engine.name, problem: message ?? null, hint: hint ?? null }
    }),
  }
}

interface Refused {
  readonly access: RegistryData
  /** Of the engine; undefined: it logs in. */
  readonly words: string | undefined
}

function refusalOf(host: HostFacts, engine: string, { access, words }: Refused): FairleadError | undefined {
  if (words === undefined) {
    return undefined
  }
  const isByPolicy = engine === LOCAL_ENGINE && host.policy.trust === undefined
  return isByPolicy
    ? TRUST_REFUSED(host.name, access.address)
    : ENGINE_WITHOUT_TRUST(engine, access.address, words)
}

async function write(
  { perform, say }: Hands,
  within: string,
  { access: { address }, certificate }: TrustData,
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
