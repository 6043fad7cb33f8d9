import type { SeenCluster } from '#contract/cluster.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'
import { driftSummary } from '#manager/apps/drift.ts'
import { statusOfApp } from '#manager/apps/observation.ts'
import { observedDocument } from '#manager/observation/last-seen.ts'
import type { ObservedStatus } from '#manager/observation/seen-state.ts'
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
  const status = statusOfApp(parts, app)
  const member = memberOf(app, status)
  const address =
    port === undefined ? undefined : (addressIn(app, member) ?? (await addressOf(parts, { app })))
  return {
    ...{ id: app.id, name: app.name, owner: owner.name, owner_id: owner.id, host: app.host, image },
    ...{ member, wanted_member: settings.member ?? null },
    wanted: settings.running ? 'running' : 'stopped',
    observed: observedDocument(status, parts.clock.now()),
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

/** Where it was last seen; after a move that nobody has looked at yet, where that left it. */
function memberOf(
  { release, observed_at }: SystemRecord['app'],
  { containers }: ObservedStatus,
): string | null {
  const { member: put } = JSON.parse(release?.content ?? '{}') as { member?: string }
  const seen = containers[0]?.member
  const isOlder = (observed_at ?? 0) < (release?.created_at ?? 0)
  return (isOlder ? (put ?? seen) : (seen ?? put)) ?? null
}

/** In a cluster its ports are listened at on the member where it is. */
function addressIn({ cluster }: SystemRecord['app'], member: string | null): string | undefined {
  const { members } = JSON.parse(cluster ?? '{"members":[]}') as Pick<SeenCluster, 'members'>
  return members.find(({ name }) => name === member)?.address || undefined
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
