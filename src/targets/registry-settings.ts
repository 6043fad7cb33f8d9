import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { canonicalJson } from '#lib/canonical-json.ts'
import { REGISTRY_SECRET_MISSING } from './registry-errors.ts'
import type { LookInput, RegistryFacts } from './target.ts'

const Pem = Type.String({ pattern: '^-----BEGIN CERTIFICATE-----', maxLength: 65_536 })

/** Settings of the registry that Fairlead runs itself. Who may use it is in the app's secrets. */
export const RegistrySettings = Type.Object(
  {
    /** Host name or address that clients use: one of the certificate's. */
    name: Type.String({ pattern: '^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    image: Type.String({ minLength: 1, maxLength: 512 }),
    username: Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' }),
    certificate: Pem,
    /** Authority of the certificate, when it is neither the certificate itself nor one of the system's. */
    authority: Type.Optional(Pem),
    /** The certificate signed itself: clients trust it by taking it as authority. */
    self_signed: Type.Boolean(),
  },
  { additionalProperties: false },
)
export type RegistrySettings = Static<typeof RegistrySettings>

/** Names of the app's secrets. */
export const REGISTRY_SECRETS = { key: 'KEY', password: 'PASSWORD', accounts: 'ACCOUNTS' } as const

/** How deployments and their hosts reach the registry that these settings describe. */
export function registryFactsOf(
  settings: RegistrySettings,
  secrets: LookInput<unknown>['secrets'],
): RegistryFacts {
  const { name, port, username, certificate, authority, self_signed } = settings
  const ca = authority ?? (self_signed ? certificate : undefined)
  return {
    address: `${name}:${port}`,
    username,
    password: registrySecret(secrets, 'password'),
    ...(ca === undefined ? {} : { ca }),
  }
}

export function registrySecret(
  secrets: LookInput<unknown>['secrets'],
  which: keyof typeof REGISTRY_SECRETS,
): string {
  const value = secrets[REGISTRY_SECRETS[which]]
  if (value === undefined) {
    throw REGISTRY_SECRET_MISSING(REGISTRY_SECRETS[which])
  }
  return value
}

/** sha256 over all that the registry is made from. */
export function registryHash(settings: RegistrySettings, secrets: LookInput<unknown>['secrets']): string {
  const values = (['key', 'password', 'accounts'] as const).map(which => registrySecret(secrets, which))
  return createHash('sha256')
    .update(canonicalJson({ version: 1, settings, values }))
    .digest('hex')
}
