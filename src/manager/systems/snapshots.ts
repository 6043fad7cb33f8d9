import type { SystemSettings } from '#targets/system-settings.ts'
import { SNAPSHOT_EXISTS } from './errors.ts'

/** The settings with one more snapshot; SNAPSHOT_EXISTS when there is one of that name. */
export function withSnapshot(settings: SystemSettings, system: string, name: string): SystemSettings {
  if (settings.snapshots.includes(name)) {
    throw SNAPSHOT_EXISTS(system, name)
  }
  return { ...settings, snapshots: [...settings.snapshots, name] }
}

export function withoutSnapshot(settings: SystemSettings, name: string): SystemSettings {
  return { ...settings, snapshots: settings.snapshots.filter(each => each !== name) }
}

/**
 * Asked for once more, also when it is the snapshot of the last time. Each has a number that none had before, also not one
 * that was given up: the time (ms since 1970).
 */
export function restoredTo(settings: SystemSettings, snapshot: string, now: number): SystemSettings {
  return { ...settings, restore: { snapshot, count: Math.max(now, (settings.restore?.count ?? 0) + 1) } }
}
