import type { RegistryWish } from '#contract/rest/registry.ts'
import { check } from '#lib/check.ts'
import { newId } from '#lib/id.ts'
import { APP_EXISTS } from '#manager/apps/errors.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { hasStarted } from '#manager/deployments/has-started.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { SETTINGS_INVALID } from '#manager/pipeline/errors.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { ownSecrets, setSecret } from '#manager/secrets/queries.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { registry } from '#targets/registry.ts'
import { REGISTRY_SECRETS, type RegistrySettings } from '#targets/registry-settings.ts'
import { checkCertificate } from './certificate.ts'
import { REGISTRY_INCOMPLETE, REGISTRY_IS_NAMED, REGISTRY_STAYS } from './errors.ts'
import { registryApp } from './registry-app.ts'

const DEFAULTS = { app: 'registry', port: 5000, image: 'registry:2', username: 'fairlead' } as const

type Context = Pick<PipelineParts, 'db' | 'clock' | 'events' | 'outbox' | 'sealer' | 'registry'>

/** Makes the registry's app, or changes what is given, and requests the deployment that brings it about. */
export async function setRegistry(context: Context, wish: RegistryWish, by: string): Promise<Deployment> {
  if (context.registry) {
    throw REGISTRY_IS_NAMED(context.registry.address)
  }
  const { db, clock, events } = context
  const host = wish.host
  const deployment = await inTransaction(db, async transaction => {
    const inside = { ...context, db: transaction }
    const known = await registryApp(transaction)
    const before = known ? (JSON.parse(known.overrides) as Partial<RegistrySettings>) : {}
    const secrets = known ? (await ownSecrets(inside, known.id)).values : {}
    const { settings, values } = wanted(wish, { before, secrets, now: clock.now() })
    const now = clock.now()
    const overrides = JSON.stringify(settings)
    const appId = known?.id ?? newId()
    if (known) {
      const place = host === undefined ? {} : { host: await hostFor(transaction, host) }
      const isOther = (place.host ?? known.host) !== known.host || (wish.app ?? known.name) !== known.name
      if (isOther && (await hasStarted(transaction, known.id))) {
        throw REGISTRY_STAYS(known.name, known.host)
      }
      await transaction
        .updateTable('apps')
        .set(eb => ({ overrides, updated_at: now, version: eb('version', '+', 1), ...place }))
        .where('id', '=', appId)
        .execute()
    } else {
      const name = wish.app ?? DEFAULTS.app
      const row = { id: appId, name, entry: name, target: registry.name, repository_id: null, overrides }
      const rest = { on_drift: 'repair', version: 1, created_at: now, updated_at: now } as const
      await transaction
        .insertInto('apps')
        .values({ ...row, ...rest, host: await hostFor(transaction, host) })
        .execute()
        .catch(error => {
          throw isConstraintViolation(error) ? APP_EXISTS(name) : error
        })
    }
    for (const [which, value] of Object.entries(values)) {
      const name = REGISTRY_SECRETS[which as keyof typeof REGISTRY_SECRETS]
      if (secrets[name] !== value) {
        await setSecret(inside, { appId, name, value })
      }
    }
    return await requestDeployment(inside, { appId, kind: 'deploy', trigger: { kind: 'api', by } })
  })
  events.publish('app', { id: deployment.appId, app: deployment.app, state: 'created' })
  return deployment
}

interface Present {
  readonly before: Partial<RegistrySettings>
  readonly secrets: Readonly<Record<string, string>>
  readonly now: number
}

type Values = Record<keyof typeof REGISTRY_SECRETS, string>

function wanted(
  wish: RegistryWish,
  { before, secrets, now }: Present,
): { settings: RegistrySettings; values: Values } {
  const name = wish.name ?? before.name
  const username = wish.username ?? before.username ?? DEFAULTS.username
  const certificate = wish.certificate ?? before.certificate
  const key = wish.key ?? secrets[REGISTRY_SECRETS.key]
  const password = wish.password ?? secrets[REGISTRY_SECRETS.password]
  const hash = wish.password_hash ?? (wish.password ? undefined : hashIn(secrets[REGISTRY_SECRETS.accounts]))
  const given = { name, certificate, key, password, 'hash of the password': hash }
  const missing = Object.entries(given).flatMap(([what, value]) => (value === undefined ? [what] : []))
  if (!name || !certificate || !key || !password || !hash) {
    throw REGISTRY_INCOMPLETE(missing)
  }
  const { selfSigned } = checkCertificate({ certificate, key, name }, now)
  const authority = wish.authority ?? (wish.certificate ? undefined : before.authority)
  const settings = {
    name,
    port: wish.port ?? before.port ?? DEFAULTS.port,
    image: wish.image ?? before.image ?? DEFAULTS.image,
    username,
    certificate,
    ...(authority === undefined ? {} : { authority }),
    self_signed: selfSigned,
  }
  check(registry.settings, settings, 'the registry', SETTINGS_INVALID)
  return { settings, values: { key, password, accounts: `${username}:${hash}\n` } }
}

/** Behind the name, which may change. */
function hashIn(accounts: string | undefined): string | undefined {
  return accounts === undefined ? undefined : accounts.slice(accounts.indexOf(':') + 1).trim()
}
