import type { Trigger } from './deployment.ts'

/** Begins the detail of a trigger: the registry's garbage is to be collected. */
const COLLECT = 'collect'
const HOUR_SECONDS = 3_600

/** Younger images stay, whether somebody needs them or not. */
export function collectDetail(olderThanSeconds = HOUR_SECONDS): string {
  return `${COLLECT} ${olderThanSeconds}`
}

/** Undefined for any other trigger. */
export function collectAge({ kind, detail = '' }: Trigger): number | undefined {
  const [what, seconds] = detail.split(' ')
  return kind === 'api' && what === COLLECT ? Number(seconds) : undefined
}

/** While such a deployment runs no other one does: nothing may be pushed, nor found in the registry and then be gone. */
export function isAlone(trigger: string | Trigger): boolean {
  return collectAge(typeof trigger === 'string' ? (JSON.parse(trigger) as Trigger) : trigger) !== undefined
}
