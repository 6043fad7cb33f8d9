import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'
import { driftSummary } from '#manager/apps/drift.ts'
import { statusOfApp } from '#manager/apps/observation.ts'
import { observedDocument } from '#manager/observation/last-seen.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { sshPortOf } from '#targets/system-settings.ts'
import type { SystemRecord } from './queries.ts'

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::']

/** A system for people: what is wanted of it, what was seen, how to log in. */
export async function describeSystem(
  parts: ManagerParts,
  { app, owner, settings, backups }: SystemRecord,
  deployment: DeploymentDocument | null,
): Promise<SystemDocument> {
  const { image, memory_bytes, cpus, processes, disk_bytes = null, ports, snapshots, schedule } = settings
  const port = sshPortOf(settings)
  const address = port === undefined ? undefined : await addressOf(parts, { app })
  return {
    ...{ id: app.id, name: app.name, owner: owner.name, owner_id: owner.id, host: app.host, image },
    wanted: settings.running ? 'running' : 'stopped',
    observed: observedDocument(statusOfApp(parts, app), parts.clock.now()),
    drift: driftSummary(parts, app),
    ...{ memory_bytes, cpus, processes, disk_bytes },
    ports: ports.map(each => ({ ...each })),
    ssh:
      port === undefined || address === undefined
        ? null
        : { host: address, port, command: `ssh -p ${port} root@${address}` },
    snapshots: [...snapshots],
    schedule: schedule ?? null,
    profile: settings.profile?.name ?? null,
    backups,
    deployment,
    version: app.version,
    created_at: new Date(app.created_at).toISOString(),
  }
}

/** Where its ports are listened at; else where its worker is reached. */
async function addressOf(
  { db }: Pick<ManagerParts, 'db'>,
  { app }: Pick<SystemRecord, 'app'>,
): Promise<string | undefined> {
  const released = (JSON.parse(app.release?.content ?? '{}') as { address?: string }).address
  if (released !== undefined && !ANY_ADDRESS.includes(released)) {
    return released
  }
  const host = await db.selectFrom('hosts').select('address').where('name', '=', app.host).executeTakeFirst()
  return host?.address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}
