import { check } from '#lib/check.ts'
import { newId } from '#lib/id.ts'
import { APP_EXISTS } from '#manager/apps/errors.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { guardianOf } from '#manager/firewall/openings.ts'
import { SETTINGS_INVALID } from '#manager/pipeline/errors.ts'
import { setSecret } from '#manager/secrets/queries.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { system } from '#targets/system.ts'
import { BACKUP_KEY, SSH_PORT, type SystemSettings } from '#targets/system-settings.ts'
import { backupPlace } from './backup-place.ts'
import type { BackupRow } from './backups.ts'
import { BACKUP_NOT_USABLE, SSH_KEY_MISSING } from './errors.ts'
import { keysOf } from './keys-of.ts'
import type { Owner } from './owners.ts'
import type { PortRange } from './port-range.ts'
import { givePorts, refuseUnkeptSources, type WantedPort } from './ports.ts'
import { readProfile } from './profiles.ts'
import { refuseOverQuota } from './quotas.ts'

export interface NewSystem {
  readonly name: string
  readonly host?: string | undefined
  readonly image: string
  /** Of the cluster; undefined: Incus chooses. */
  readonly member?: string | undefined
  /** In place of the image, which is the one of that then. */
  readonly from?: BackupRow | undefined
  readonly limits: Pick<SystemSettings, 'memory_bytes' | 'cpus' | 'processes' | 'disk_bytes'>
  /** Beside the one of its SSH server. */
  readonly ports: readonly WantedPort[]
  readonly schedule?: SystemSettings['schedule'] | undefined
  /** Name of what is installed at its first start; one that is made of a backup has what it had. */
  readonly profile?: string | undefined
}

interface By {
  /** Whose it is from then on. */
  readonly owner: Owner
  /** Who asks. */
  readonly by: string
  readonly range: PortRange
}

/** Writes a system down with its ports and its owner's keys, and requests the deployment that makes it. */
export async function createSystem(
  context: DeploymentsContext & { readonly sealer: Sealer },
  wish: NewSystem,
  { owner, by, range }: By,
): Promise<Deployment> {
  const { clock, events } = context
  const deployment = await inTransaction(context.db, async db => {
    const { from } = wish
    const host = await hostFor(db, wish.host ?? from?.host)
    if (from) {
      refuseUnusable(from, host)
    }
    const keys = (await keysOf(db, owner.id)).map(({ line }) => line)
    if (keys.length === 0) {
      throw SSH_KEY_MISSING(owner.name)
    }
    const now = clock.now()
    const appId = newId()
    const row = { id: appId, name: wish.name, entry: wish.name, target: system.name, repository_id: null }
    const rest = { on_drift: 'report', version: 1, created_at: now, updated_at: now } as const
    await db
      .insertInto('apps')
      .values({ ...row, ...rest, host, overrides: '{}' })
      .execute()
      .catch(error => {
        throw isConstraintViolation(error) ? APP_EXISTS(wish.name) : error
      })
    const wanted: WantedPort[] = [{ protocol: 'tcp', container: SSH_PORT, sources: [] }, ...wish.ports]
    const profile = from && wish.profile === undefined ? undefined : await readProfile(db, wish.profile)
    const settings: SystemSettings = {
      ...{ image: wish.image, ...wish.limits, running: true, restarts: 0, keys, snapshots: [] },
      ports: await givePorts(db, { appId, host, range }, { wanted, before: [] }),
      guarded: (await guardianOf(db, host)) !== undefined,
      ...(profile ? { profile } : {}),
      ...(wish.member === undefined ? {} : { member: wish.member }),
      ...(wish.schedule ? { schedule: wish.schedule } : {}),
      ...(from?.sha256 ? { from: { backup: from.id, sha256: from.sha256 } } : {}),
    }
    check(system.settings, settings, `the system "${wish.name}"`, SETTINGS_INVALID)
    await refuseUnkeptSources(db, settings, host)
    await refuseOverQuota(db, { appId, owner, host, settings })
    if (from) {
      const value = context.sealer.open(from.identity_sealed, backupPlace(from.id))
      await setSecret({ ...context, db }, { appId, name: BACKUP_KEY, value })
    }
    const overrides = JSON.stringify(settings)
    await db.updateTable('apps').set({ overrides }).where('id', '=', appId).execute()
    await db.insertInto('systems').values({ app_id: appId, owner: owner.id, created_at: now }).execute()
    const trigger = { kind: 'api', by } as const
    return await requestDeployment({ ...context, db }, { appId, kind: 'deploy', trigger })
  })
  events.publish('app', { id: deployment.appId, app: deployment.app, state: 'created' })
  return deployment
}

function refuseUnusable({ id, state, host }: BackupRow, wanted: string): void {
  if (state !== 'kept') {
    throw BACKUP_NOT_USABLE(id, state === 'failed' ? 'it failed' : `it is ${state}`)
  }
  if (host !== wanted) {
    throw BACKUP_NOT_USABLE(id, `its file is on "${host}", not on "${wanted}"`)
  }
}
