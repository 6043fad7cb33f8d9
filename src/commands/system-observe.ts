import { imageNamed, listImageNames, poolDriver } from '#programs/incus-host.ts'
import { findInstance, type SystemInstance } from '#programs/incus-instances.ts'
import { type InstanceSnapshot, listSnapshots } from '#programs/incus-snapshots.ts'
import { SYSTEM_KEY, systemParts } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { type SeenSystem, SystemObserveData, SystemObserved } from './system-data.ts'
import { lookFor, systemsOf } from './system-incus.ts'
import { clusterOf } from './system-members.ts'

export const systemObserve = defineCommand({
  name: 'system.observe',
  summary: 'Tells how a system container is, and what its host has for it: image, pool, name.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: SystemObserveData,
  result: SystemObserved,
  deadlineMs: 60_000,
  run: look,
})

async function look(
  hands: Hands,
  { id, name, image }: { readonly id: string; readonly name: string; readonly image: string },
): Promise<SystemObserved> {
  const { socket, pool, network, address } = systemsOf(hands)
  const [found, driver, fingerprint, images, cluster] = await Promise.all([
    lookFor(hands, { id, name }),
    hands.perform(poolDriver(socket, pool)),
    image.startsWith('images:') ? undefined : hands.perform(imageNamed(socket, image)),
    hands.perform(listImageNames(socket)),
    clusterOf(hands),
  ])
  const snapshots = found ? await hands.perform(listSnapshots(socket, found.name)) : []
  const namesake = found?.name === name ? undefined : await hands.perform(findInstance(socket, name))
  return {
    system: found ? seenSystem(found, snapshots) : null,
    isTaken: namesake !== undefined,
    image: fingerprint ?? null,
    images: [...images].sort().slice(0, 50),
    ...{ pool, driver: driver ?? null, place: { pool, network, address } },
    host: hands.host.name,
    installs: true,
    ...(cluster ? { cluster: { members: [...cluster.members] } } : {}),
  }
}

function seenSystem(
  { name, status, createdAt, location, config, devices, profiles }: SystemInstance,
  snapshots: readonly InstanceSnapshot[],
): SeenSystem {
  const packages = config[SYSTEM_KEY.packages]
  return {
    ...{ name, status, createdAt, parts: systemParts(config, devices, profiles) },
    isWhole: config[SYSTEM_KEY.whole] === 'true',
    configHash: config[SYSTEM_KEY.config] ?? '',
    deployment: config[SYSTEM_KEY.deployment] ?? '',
    keysHash: config[SYSTEM_KEY.keys] ?? '',
    ...(location === undefined ? {} : { member: location }),
    ...(packages === undefined ? {} : { packagesHash: packages }),
    restarts: Number(config[SYSTEM_KEY.restarts] ?? 0),
    restored: Number(config[SYSTEM_KEY.restored] ?? 0),
    snapshots: snapshots.map(each => ({ ...each })),
  }
}
