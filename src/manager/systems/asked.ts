import type { NewSystem, SystemChange } from '#contract/rest/systems.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import type { WantedPort } from './ports.ts'

/** The settings with what was asked for; null takes a disk limit, a schedule or a member away. */
export function changed(
  settings: SystemSettings,
  { disk_bytes, schedule, member, ...limits }: Omit<SystemChange, 'name' | 'ports' | 'owner' | 'backups'>,
): SystemSettings {
  const { disk_bytes: disk, schedule: times, member: place, ...rest } = settings
  const newDisk = disk_bytes === undefined ? disk : (disk_bytes ?? undefined)
  const newTimes = schedule === undefined ? times : (schedule ?? undefined)
  const newPlace = member === undefined ? place : (member ?? undefined)
  return {
    ...rest,
    ...limits,
    ...(newPlace === undefined ? {} : { member: newPlace }),
    ...(newDisk === undefined ? {} : { disk_bytes: newDisk }),
    ...(newTimes === undefined ? {} : { schedule: newTimes }),
  }
}

/** A new start has a number that none had before, also not one that was given up: the time (ms since 1970). */
export function stateAfter(
  settings: SystemSettings,
  action: 'start' | 'stop' | 'restart',
  now: number,
): SystemSettings {
  const restarts = action === 'restart' ? Math.max(now, settings.restarts + 1) : settings.restarts
  return { ...settings, running: action !== 'stop', restarts }
}

export function portsIn(ports: NonNullable<NewSystem['ports']>): WantedPort[] {
  return ports.map(({ protocol = 'tcp', container, sources = [] }) => ({ protocol, container, sources }))
}
