import { type Static, Type } from 'typebox'
import { operationsOf } from '#programs/incus.ts'
import { poolDriver } from '#programs/incus-host.ts'
import { createInstance, findInstance, type SystemInstance } from '#programs/incus-instances.ts'
import { SYSTEM_KEY, systemConfig, systemDevices } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { sayTo } from './container-policy.ts'
import { defineSystemChange } from './system-at-member.ts'
import { bringBack } from './system-bring.ts'
import { SystemCreateData } from './system-data.ts'
import { removeInstance } from './system-delete.ts'
import { SYSTEM_NAME_TAKEN, SYSTEM_POOL_MISSING, SYSTEM_POOL_WITHOUT_LIMITS } from './system-errors.ts'
import { fetched, sourceOf } from './system-image.ts'
import { ended, lookFor, note, systemsOf } from './system-incus.ts'
import { refuseForbiddenShape } from './system-policy.ts'

const strict = { additionalProperties: false } as const
const LOOK_AGAIN_MS = 200

const CreateResult = Type.Object({ name: Type.String(), created: Type.Boolean() }, strict)

export const systemCreate = defineSystemChange({
  name: 'system.create',
  summary: 'Makes a system container, stopped; one that was left half-made is made anew.',
  data: SystemCreateData,
  result: CreateResult,
  deadlineMs: 1_800_000,
  members: ({ member }) => (member === undefined ? [] : [member]),
  run: create,
})

async function create(hands: Hands, data: SystemCreateData): Promise<Static<typeof CreateResult>> {
  const { id, name, shape } = data
  const { socket, ...place } = systemsOf(hands)
  refuseForbiddenShape(hands.host.policy, data, sayTo(hands))
  const found = await settled(hands, data)
  if (found?.config[SYSTEM_KEY.whole] === 'true') {
    return { name: found.name, created: false }
  }
  if (found) {
    hands.say(`"${found.name}" was left half-made and is made anew`, 'info')
    await removeInstance(hands, found)
  }
  const { from } = data
  await refusePool(hands, data)
  const source = from ? undefined : await sourceOf(hands, data.image)
  if ((await hands.perform(findInstance(socket, name))) !== undefined) {
    throw SYSTEM_NAME_TAKEN(name, hands.host.name)
  }
  const marks = {
    [SYSTEM_KEY.id]: id,
    [SYSTEM_KEY.deployment]: data.deployment,
    [SYSTEM_KEY.config]: data.configHash,
    [SYSTEM_KEY.restored]: String(data.restored),
  }
  if (!source && from) {
    await bringBack(hands, { ...data, from }, marks)
    await note(hands, name, { [SYSTEM_KEY.whole]: 'true' })
    hands.say(`made "${name}" of the backup ${from.backup}`, 'info')
    return { name, created: true }
  }
  const config = Object.entries({ ...systemConfig(shape), ...marks }).filter(([, value]) => value !== '')
  const wanted = {
    name,
    source: source ?? {},
    member: data.member,
    config: Object.fromEntries(config),
    devices: systemDevices(shape, place),
  }
  await fetched(hands, data.image, () =>
    ended(hands, { what: 'made', name }, hands.perform(createInstance(socket, wanted))),
  )
  await note(hands, name, { [SYSTEM_KEY.whole]: 'true' })
  hands.say(`made "${name}" of the image ${data.image}`, 'info')
  return { name, created: true }
}

/** What an earlier worker began goes on in the daemon: it is waited for, and looked at afterwards. */
async function settled(
  hands: Hands,
  { id, name }: Pick<SystemCreateData, 'id' | 'name'>,
): Promise<SystemInstance | undefined> {
  const { socket } = systemsOf(hands)
  for (;;) {
    const found = await lookFor(hands, { id, name })
    const busy = found ? await hands.perform(operationsOf(socket, found.name)) : []
    if (busy.length === 0) {
      return found && (await lookFor(hands, { id, name }))
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

async function refusePool(hands: Hands, { shape }: SystemCreateData): Promise<void> {
  const { socket, pool } = systemsOf(hands)
  const driver = await hands.perform(poolDriver(socket, pool))
  if (driver === undefined) {
    throw SYSTEM_POOL_MISSING(pool, hands.host.name)
  }
  if (driver === 'dir' && shape.diskBytes !== undefined) {
    throw SYSTEM_POOL_WITHOUT_LIMITS(pool, hands.host.name)
  }
}
