import type { SeenSystem, SystemObserved } from '#commands/system-data.ts'
import {
  SYSTEM_ADDRESS_OF_ONE,
  SYSTEM_IMAGE_MISSING,
  SYSTEM_MEMBER_NOT_READY,
  SYSTEM_MEMBER_UNKNOWN,
  SYSTEM_NAME_TAKEN,
  SYSTEM_NO_CLUSTER,
  SYSTEM_POOL_MISSING,
  SYSTEM_POOL_WITHOUT_LIMITS,
  SYSTEM_SNAPSHOT_GONE,
} from '#commands/system-errors.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import {
  holdsRights,
  keysHash,
  packagesHash,
  type SystemShape,
  systemConfig,
  systemDevices,
  systemParts,
} from '#programs/incus-system.ts'
import type { SystemSettings } from './system-settings.ts'
import type { Change, ReleaseFacts } from './target.ts'

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::']

/** What has to be done so that a system container is as it is wanted. */
export interface Needs {
  readonly create: boolean
  readonly rename: boolean
  readonly resize: boolean
  /** To another member of the cluster. */
  readonly move: boolean
  /** Another member is named than for the release before, whether it is there already or not. */
  readonly pin: boolean
  readonly authorize: boolean
  readonly install: boolean
  readonly restore: boolean
  readonly start: boolean
  readonly stop: boolean
  /** Names of snapshots. */
  readonly take: readonly string[]
  readonly forget: readonly string[]
}

interface Situation {
  readonly name: string
  readonly settings: SystemSettings
  readonly seen: SystemObserved
}

interface Wanted extends Situation {
  readonly shape: SystemShape
  readonly configHash: string
  readonly previous: Pick<ReleaseFacts, 'content'> | undefined
}

export function needsOf({ name, settings, seen, shape, configHash, previous }: Wanted): Needs {
  const { running, restarts, restore, keys, snapshots, member } = settings
  const found = seen.system?.isWhole === true ? seen.system : undefined
  const create = found === undefined
  const rename = found !== undefined && found.name !== name
  // A snapshot has the number of its own day, which is an earlier one.
  const brings = found !== undefined && restore !== undefined && found.restored < restore.count
  const isUp = found?.status === 'running'
  const pin = member !== previous?.content.member
  const move = found !== undefined && isElsewhere(found, member) && (pin || isReady(seen, member))
  const released = (previous?.content.snapshots ?? []) as readonly string[]
  const there = found?.snapshots.map(each => each.name) ?? []
  return {
    ...{ create, rename, restore: brings, move, pin },
    resize:
      found !== undefined && (found.configHash !== configHash || !hasParts(found.parts, { seen, shape })),
    authorize: found?.keysHash !== keysHash(keys),
    start:
      running && (!isUp || rename || move || brings || found.restarts < restarts || holdsRights(found.parts)),
    install: running && lacksPackages(settings, seen),
    stop: !running && found !== undefined && found.status !== 'stopped',
    // One that is gone is not made up for: it would be of another day.
    take: create ? [] : snapshots.filter(each => !there.includes(each) && !released.includes(each)),
    forget: released.filter(each => there.includes(each) && !snapshots.includes(each)),
  }
}

function isElsewhere({ member }: SeenSystem, wanted: string | undefined): boolean {
  return wanted !== undefined && member !== undefined && member !== wanted
}

/** One whose member is away, or empty for a while, is not sent back there by a change of something else. */
function isReady({ cluster }: SystemObserved, member: string | undefined): boolean {
  return cluster?.members.find(({ name }) => name === member)?.status === 'online'
}

/** A worker of an older release installs nothing, which only matters where a profile has more than an SSH server. */
function lacksPackages({ profile }: SystemSettings, { system, installs }: SystemObserved): boolean {
  return (
    profile !== undefined &&
    (installs === true || profile.packages.some(each => each !== 'openssh-server')) &&
    system?.packagesHash !== packagesHash(profile.packages)
  )
}

function hasParts(
  parts: Readonly<Record<string, string>>,
  { seen, shape }: Pick<Wanted, 'seen' | 'shape'>,
): boolean {
  const wanted = systemParts(systemConfig(shape), systemDevices(shape, seen.place))
  return canonicalJson(parts) === canonicalJson(wanted)
}

/** Says before anything is done what cannot be done on this host. */
export function refuseImpossible({ name, settings, seen }: Situation, needs: Needs): void {
  const { driver, pool, host, image, images } = seen
  if ((needs.create || needs.rename) && seen.isTaken) {
    throw SYSTEM_NAME_TAKEN(name, host)
  }
  if (driver === null) {
    throw SYSTEM_POOL_MISSING(pool, host)
  }
  if (driver === 'dir' && settings.disk_bytes !== undefined) {
    throw SYSTEM_POOL_WITHOUT_LIMITS(pool, host)
  }
  refuseMember({ settings, seen }, needs)
  const isOfServer = settings.image.startsWith('images:')
  if (needs.create && image === null && !isOfServer && !settings.from) {
    throw SYSTEM_IMAGE_MISSING(settings.image, host, images)
  }
  const { restore } = settings
  const there = [...(seen.system?.snapshots.map(each => each.name) ?? []), ...needs.take]
  if (needs.restore && restore && !there.includes(restore.snapshot)) {
    throw SYSTEM_SNAPSHOT_GONE(name, restore.snapshot)
  }
}

function refuseMember({ settings: { member, from }, seen }: Omit<Situation, 'name'>, needs: Needs): void {
  const { cluster, host, place } = seen
  const isOfOne = !ANY_ADDRESS.includes(place.address)
  if (member === undefined && needs.create && !from && isOfOne && (cluster?.members.length ?? 0) > 1) {
    // Incus may put it where nobody can listen at that address.
    throw SYSTEM_ADDRESS_OF_ONE(place.address, host)
  }
  if (member === undefined || !(needs.create || needs.move || needs.pin)) {
    return
  }
  if (!cluster) {
    throw SYSTEM_NO_CLUSTER(host)
  }
  const found = cluster.members.find(({ name }) => name === member)
  if (!found) {
    throw SYSTEM_MEMBER_UNKNOWN(
      member,
      host,
      cluster.members.map(({ name }) => name),
    )
  }
  if (found.status !== 'online') {
    throw SYSTEM_MEMBER_NOT_READY(member, found.status)
  }
  if (isOfOne) {
    throw SYSTEM_ADDRESS_OF_ONE(place.address, host)
  }
}

/** What a person reads before agreeing. */
export function systemChanges(
  name: string,
  {
    settings,
    seen,
    needs,
    shape,
  }: Omit<Situation, 'name'> & { readonly needs: Needs; readonly shape: SystemShape },
): Change[] {
  const what = `system ${name}`
  const parts = systemParts(systemConfig(shape), systemDevices(shape, seen.place))
  const before = seen.system?.parts ?? {}
  const names = [...new Set([...Object.keys(before), ...Object.keys(parts)])].sort()
  const changes: Change[] = [
    ...(needs.create ? [{ kind: 'add', what, to: settings.image } as const] : []),
    ...(needs.rename
      ? [{ kind: 'recreate', what, from: seen.system?.name ?? '', to: name, why: 'another name' } as const]
      : []),
    ...(needs.pin || needs.move
      ? [
          {
            kind: needs.move ? 'recreate' : 'replace',
            what: `member of ${name}`,
            from: seen.system?.member ?? 'none',
            to: settings.member ?? 'any',
          } as const,
        ]
      : []),
    ...(needs.resize
      ? names
          .filter(part => before[part] !== parts[part])
          .map(
            part =>
              ({
                kind: 'replace',
                what: `${part} of ${name}`,
                from: before[part] ?? 'nothing',
                to: parts[part] ?? 'nothing',
              }) as const,
          )
      : []),
    ...needs.take.map(each => ({ kind: 'add', what: `snapshot ${each} of ${name}` }) as const),
    ...needs.forget.map(each => ({ kind: 'remove', what: `snapshot ${each} of ${name}` }) as const),
    ...(needs.restore
      ? [{ kind: 'replace', what, to: settings.restore?.snapshot ?? '', why: 'brought back' } as const]
      : []),
    ...(needs.authorize
      ? [{ kind: 'replace', what: `SSH keys of ${name}`, to: String(settings.keys.length) } as const]
      : []),
    ...(needs.install
      ? [
          {
            kind: 'add',
            what: `packages of ${name}`,
            to: settings.profile?.packages.join(', ') ?? '',
          } as const,
        ]
      : []),
    ...(needs.start ? [{ kind: 'recreate', what, to: 'running' } as const] : []),
    ...(needs.stop ? [{ kind: 'recreate', what, to: 'stopped' } as const] : []),
  ]
  return changes.length === 0 ? [{ kind: 'untouched', what }] : changes
}
