import { createHash } from 'node:crypto'
import { asFairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import type { IncusReply } from '#programs/incus.ts'
import { bringBackup } from '#programs/incus-backups.ts'
import { findInstance, renameInstance, replaceInstance, restoringName } from '#programs/incus-instances.ts'
import { deleteNetwork, idleStandIns, makeStandIn, networkMissingIn } from '#programs/incus-networks.ts'
import { systemConfig, systemDevices, type Texts } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import type { SystemCreateData } from './system-data.ts'
import { removeHalfBrought } from './system-delete.ts'
import { backupFile } from './system-files.ts'
import { ended, systemsOf } from './system-incus.ts'

const SIX_HOURS_MS = 6 * 3_600_000
/** Of network cards that Incus makes. */
const MAC_PREFIX = '10:66:6a'

/**
 * Makes a container of a backup, stopped. What comes out of the file says of itself that it is the system that it was made
 * of, with its network card and its ports: until all of that is replaced it has a name that no system can have.
 */
export async function bringBack(
  hands: Hands,
  { id, name, shape, from }: SystemCreateData & Required<Pick<SystemCreateData, 'from'>>,
  marks: Texts,
): Promise<void> {
  const { socket, ...place } = systemsOf(hands)
  const doing = { what: 'made of its backup', name }
  const meanwhile = restoringName(id)
  await removeHalfBrought(hands, id)
  const { sha256, identity, backup } = from
  const bringing = {
    ...{ name: meanwhile, pool: place.pool, file: backupFile(hands, backup), sha256 },
    ...{ identity: new Secret(identity), timeoutMs: SIX_HOURS_MS },
  }
  await imported(hands, doing, () => hands.perform(bringBackup(socket, bringing)))
  const made = await hands.perform(findInstance(socket, meanwhile))
  const kept = Object.entries(made?.config ?? {}).filter(
    ([key]) => /^(?:image|volatile)\./.test(key) && !key.startsWith('volatile.eth0.'),
  )
  const config = {
    ...Object.fromEntries(kept),
    ...systemConfig(shape),
    ...marks,
    'volatile.eth0.hwaddr': macOf(id),
  }
  const given = { architecture: made?.architecture ?? '', config, devices: systemDevices(shape, place) }
  await ended(hands, doing, hands.perform(replaceInstance(socket, meanwhile, given)))
  for (const network of await hands.perform(idleStandIns(socket))) {
    await ended(hands, doing, hands.perform(deleteNetwork(socket, network)))
  }
  await ended(hands, doing, hands.perform(renameInstance(socket, meanwhile, name)))
}

/**
 * Incus takes no container whose network it does not know, though it is given another one right afterwards: another host
 * may call its own network otherwise. So there is one of that name for as long as that takes.
 */
async function imported(
  hands: Hands,
  doing: { readonly what: string; readonly name: string },
  bring: () => Promise<IncusReply>,
): Promise<void> {
  try {
    await ended(hands, doing, bring())
  } catch (error) {
    const network = networkMissingIn(String(asFairleadError(error).facts?.reason ?? ''))
    if (network === undefined) {
      throw error
    }
    await ended(hands, doing, hands.perform(makeStandIn(systemsOf(hands).socket, network)))
    await ended(hands, doing, bring())
  }
}

function macOf(id: string): string {
  const bytes = createHash('sha256').update(id).digest().subarray(0, 3)
  return [MAC_PREFIX, ...[...bytes].map(byte => byte.toString(16).padStart(2, '0'))].join(':')
}
