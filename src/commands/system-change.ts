import { Type } from 'typebox'
import { poolDriver } from '#programs/incus-host.ts'
import {
  findInstance,
  putFile,
  putFolder,
  renameInstance,
  replaceInstance,
  type SystemInstance,
} from '#programs/incus-instances.ts'
import {
  authorizedKeys,
  byHand,
  holdsRights,
  isShaped,
  keysHash,
  SYSTEM_KEY,
  systemConfig,
  systemDevices,
  systemParts,
  type Texts,
} from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { sayTo } from './container-policy.ts'
import { defineSystemChange } from './system-at-member.ts'
import {
  type SystemResizeData as ResizeData,
  SystemKeysData,
  SystemRenameData,
  SystemResizeData,
} from './system-data.ts'
import { SYSTEM_NAME_TAKEN, SYSTEM_POOL_WITHOUT_LIMITS } from './system-errors.ts'
import { ended, mustFind, note, systemsOf } from './system-incus.ts'
import { refuseForbiddenShape } from './system-policy.ts'
import { isUp, stopInstance } from './system-state.ts'

const strict = { additionalProperties: false } as const
const Empty = Type.Object({}, strict)

export const systemResize = defineSystemChange({
  name: 'system.resize',
  summary: 'Gives a system container its limits and ports; while it runs, where Incus can.',
  data: SystemResizeData,
  result: Empty,
  deadlineMs: 300_000,
  async run(hands, data) {
    refuseForbiddenShape(hands.host.policy, data, sayTo(hands))
    await shape(hands, await mustFind(hands, data), data)
    return {}
  },
})

export const systemRename = defineSystemChange({
  name: 'system.rename',
  summary: 'Gives a system container another name, which is its host name too; it is stopped for that.',
  data: SystemRenameData,
  result: Empty,
  deadlineMs: 300_000,
  async run(hands, { id, name }) {
    const { socket } = systemsOf(hands)
    const found = await mustFind(hands, { id, name })
    if (found.name === name) {
      return {}
    }
    if ((await hands.perform(findInstance(socket, name))) !== undefined) {
      throw SYSTEM_NAME_TAKEN(name, hands.host.name)
    }
    await stopInstance(hands, found)
    const doing = { what: `renamed to "${name}"`, name: found.name }
    await ended(hands, doing, hands.perform(renameInstance(socket, found.name, name)))
    hands.say(`"${found.name}" is called "${name}" now`, 'info')
    return {}
  },
})

export const systemAuthorize = defineSystemChange({
  name: 'system.authorize',
  summary: 'Lets exactly these SSH keys into a system container, as root.',
  data: SystemKeysData,
  result: Empty,
  // Longer than it waits for a member that is emptied or filled again, so that it can say so.
  deadlineMs: 300_000,
  async run(hands, { id, name, keys }) {
    const { socket } = systemsOf(hands)
    const found = await mustFind(hands, { id, name })
    const doing = { what: 'given its SSH keys', name }
    const folder = { path: '/root/.ssh', mode: '0700' }
    const file = { path: '/root/.ssh/authorized_keys', mode: '0600', text: authorizedKeys(keys) }
    await ended(hands, doing, hands.perform(putFolder(socket, found.name, folder)))
    await ended(hands, doing, hands.perform(putFile(socket, found.name, file)))
    await note(hands, found.name, { [SYSTEM_KEY.keys]: keysHash(keys) })
    hands.say(`${keys.length} SSH keys are let into "${found.name}"`, 'info')
    return {}
  },
})

interface Shaping extends Pick<ResizeData, 'name' | 'shape' | 'deployment' | 'configHash'> {
  readonly marks?: Texts
}

/** Brings limits and devices to what is wanted; of what others wrote into its configuration only what changes no rights stays. */
export async function shape(hands: Hands, found: SystemInstance, wanted: Shaping): Promise<void> {
  const { socket, ...place } = systemsOf(hands)
  // Unlike any number that people ask for: the next start is a new one, also after a kill in between.
  const again =
    holdsRights(systemParts(found.config, {}, found.profiles)) && isUp(found)
      ? { [SYSTEM_KEY.restarts]: '-1' }
      : {}
  const marks = {
    ...again,
    [SYSTEM_KEY.deployment]: wanted.deployment,
    [SYSTEM_KEY.config]: wanted.configHash,
    ...wanted.marks,
  }
  if (isShaped(found, wanted.shape, place)) {
    await note(hands, found.name, marks)
    return
  }
  const driver = await hands.perform(poolDriver(socket, place.pool))
  if (driver === 'dir' && wanted.shape.diskBytes !== undefined) {
    throw SYSTEM_POOL_WITHOUT_LIMITS(place.pool, hands.host.name)
  }
  const foreign = byHand(found.config)
  const kept = Object.entries(found.config).filter(([key]) => !(key in foreign))
  const config = { ...Object.fromEntries(kept), ...systemConfig(wanted.shape), ...marks }
  const devices = systemDevices(wanted.shape, place)
  const call = replaceInstance(socket, found.name, { architecture: found.architecture, config, devices })
  await ended(hands, { what: 'given its limits and ports', name: found.name }, hands.perform(call))
  hands.say(`"${found.name}" has its limits and ports`, 'info')
}
