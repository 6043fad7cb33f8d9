import { check } from '#lib/check.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { guardianOf } from '#manager/firewall/openings.ts'
import { SETTINGS_INVALID } from '#manager/pipeline/errors.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { system } from '#targets/system.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import type { BackupSchedule } from './due-backups.ts'
import { keysOf } from './keys-of.ts'
import type { Owner } from './owners.ts'
import type { PortRange } from './port-range.ts'
import { givePorts, refuseUnkeptSources, type WantedPort } from './ports.ts'
import { readSystem, type SystemRecord } from './queries.ts'
import { refuseOverQuota } from './quotas.ts'

interface Wish {
  readonly name: string
  /** Who asks. */
  readonly by: string
  readonly change: (settings: SystemSettings, record: SystemRecord) => SystemSettings
  /** Whose it is from now on: their keys are let in, and nobody else's. */
  readonly owner?: Owner | undefined
  /** When backups are made from now on; null: not by themselves. */
  readonly backups?: BackupSchedule | null | undefined
  /** Other ports than it has, with the range that new ones are taken from. */
  readonly ports?: { readonly wanted: readonly WantedPort[]; readonly range: PortRange } | undefined
}

/** Writes down what is wanted of a system from now on, within quotas, and requests the deployment that brings it about. */
export async function changeSystem(
  context: DeploymentsContext,
  { name, by, change, ports, owner: next, backups }: Wish,
): Promise<Deployment> {
  return await inTransaction(context.db, async db => {
    const record = await readSystem(db, name)
    const { app, settings: before } = record
    const owner = next ?? record.owner
    const given = ports
      ? await givePorts(
          db,
          { appId: app.id, host: app.host, range: ports.range },
          { wanted: ports.wanted, before: before.ports },
        )
      : before.ports
    const guarded = (await guardianOf(db, app.host)) !== undefined
    const keys = next ? (await keysOf(db, next.id)).map(({ line }) => line) : before.keys
    const settings = { ...change({ ...before, ports: given, keys, guarded }, record), guarded }
    check(system.settings, settings, `the system "${name}"`, SETTINGS_INVALID)
    if (ports) {
      await refuseUnkeptSources(db, settings, app.host)
    }
    if (backups !== undefined) {
      const at = { backup_schedule: backups && JSON.stringify(backups), backup_at: context.clock.now() }
      await db.updateTable('systems').set(at).where('app_id', '=', app.id).execute()
    }
    if (next) {
      await db.updateTable('systems').set({ owner: next.id }).where('app_id', '=', app.id).execute()
    }
    const had = next ? undefined : record.settings
    await refuseOverQuota(db, { appId: app.id, owner, host: app.host, settings, before: had })
    await db
      .updateTable('apps')
      .set(eb => ({
        overrides: JSON.stringify(settings),
        updated_at: context.clock.now(),
        version: eb('version', '+', 1),
      }))
      .where('id', '=', app.id)
      .execute()
    const trigger = { kind: 'api', by } as const
    return await requestDeployment({ ...context, db }, { appId: app.id, kind: 'deploy', trigger })
  })
}
