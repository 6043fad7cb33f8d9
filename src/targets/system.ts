import {
  systemAuthorize,
  systemCreate,
  systemDelete,
  systemForget,
  systemInstall,
  systemMemberLook,
  systemMove,
  systemObserve,
  systemRename,
  systemResize,
  systemRestore,
  systemSnapshot,
  systemStart,
  systemStop,
  systemVerify,
} from '#commands/system.ts'
import type { SystemObserved } from '#commands/system-data.ts'
import { INTERNAL } from '#lib/errors.ts'
import type { SystemShape } from '#programs/incus-system.ts'
import type { Knows } from './knows.ts'
import { openingsOf } from './published.ts'
import { type Needs, needsOf, refuseImpossible, systemChanges } from './system-needs.ts'
import { BACKUP_KEY, keysHashOf, SystemSettings, shapeHash, shapeOf, sshPortOf } from './system-settings.ts'
import {
  type AppFacts,
  defineTarget,
  type Plan,
  type PlanInput,
  type Target,
  type Tell,
  tell,
} from './target.ts'

const SSH_WITHIN_MS = 120_000

/** A machine of one's own: a container with an init, users and an SSH server, made and kept by Incus. */
export const system: Target = defineTarget({
  name: 'system',
  summary: 'Runs a system container: a machine of its own for a person, with SSH.',
  settings: SystemSettings,
  keepers: 'admins',
  detect: () => undefined,
  reads: () => [],
  domains: () => [],
  opens: ({ guarded, ports }) =>
    guarded
      ? openingsOf(
          ports.map(({ protocol, host, sources: from }) => ({ protocol, port: host, from, open: true })),
        )
      : [],
  settle: settings => settings,
  withdraw,
  look: ({ app, settings }) => [tell('system', systemObserve, { ...whose(app), image: settings.image })],
  plan,
  images: () => [],
  // Without its data there is nothing of it to take down: it is stopped and stays with the owner of the host.
  remove: ({ app, volumes, knows }) =>
    volumes === 'delete'
      ? [tell('delete', systemDelete, deleted(app, knows))]
      : [tell('stop', systemStop, whose(app))],
})

function plan(input: PlanInput<SystemSettings>): Plan {
  const { app, settings, deployment, previous } = input
  const seen = input.found.system as SystemObserved
  const shape = shapeOf(settings)
  const configHash = shapeHash(shape)
  const needs = needsOf({ name: app.name, settings, seen, configHash, shape, previous })
  refuseImpossible({ name: app.name, settings, seen }, needs)
  const lists = { build: [], push: [], route: [], watch: [], prune: [] } as const
  const about = { ...whose(app), deployment, shape, configHash }
  const nothingToDo = !Object.values(needs).some(each => (Array.isArray(each) ? each.length > 0 : each))
  return {
    ...lists,
    apply: applied(needs, about, { ...settings, identity: input.secrets[BACKUP_KEY] }),
    verify: nothingToDo
      ? []
      : [tell('verify', systemVerify, verifyData(app, { settings, configHash, needs }))],
    undo: undone(
      needs,
      { about, before: seen.system, app, knows: input.knows, keys: settings.keys },
      previous?.content,
    ),
    release: {
      ...{ name: app.name, image: settings.image, address: seen.place.address, shape, configHash },
      snapshots: [...settings.snapshots].sort(),
      restarts: settings.restarts,
      keys: keysHashOf(settings),
      ...(settings.member === undefined ? {} : { member: settings.member }),
      ...(settings.restore ? { restore: settings.restore } : {}),
    },
    changes: systemChanges(app.name, { settings, seen, needs, shape }),
    nothingToDo,
  }
}

/** A move, a new start, a restore and snapshots are asked for once. */
function withdraw(settings: SystemSettings, released: Readonly<Record<string, unknown>>): SystemSettings {
  const { restore, member: _, ...rest } = settings
  const { member, restarts, snapshots, restore: done } = released as Partial<SystemSettings>
  const wasRestoring = restore !== undefined && restore.count !== done?.count
  return {
    ...rest,
    ...(member === undefined ? {} : { member }),
    ...(restarts === undefined ? {} : { restarts }),
    // Those that were taken before a restore stay, whatever became of that.
    ...(snapshots === undefined || wasRestoring ? {} : { snapshots: [...snapshots] }),
  }
}

interface About {
  readonly id: string
  readonly name: string
  readonly deployment: string
  readonly shape: SystemShape
  readonly configHash: string
}

function applied(
  needs: Needs,
  about: About,
  settings: SystemSettings & { readonly identity: string | undefined },
): Tell[] {
  const { id, name, deployment } = about
  const { image, keys, restarts, restore, identity, member } = settings
  const from = settings.from && { from: { ...settings.from, identity } }
  const snapshot = (what: string) => ({ id, name, snapshot: what })
  return [
    ...(needs.create
      ? [
          tell('create', systemCreate, {
            ...{ ...about, image, ...from, restored: restore?.count ?? 0 },
            ...(member !== undefined && !from ? { member } : {}),
          } as never),
        ]
      : []),
    ...(needs.rename ? [tell('rename', systemRename, { id, name })] : []),
    // First of all: who is shut out must not stay inside because something else cannot be done.
    ...(needs.authorize && !needs.create ? [tell('authorize', systemAuthorize, { id, name, keys })] : []),
    // What is made of a backup is made by the member that has its file.
    ...((needs.move || (needs.create && from)) && member !== undefined
      ? [tell('move', systemMove, { id, name, member, deployment })]
      : []),
    ...(needs.resize ? [tell('resize', systemResize, about as never)] : []),
    ...needs.take.map(what => tell(`snapshot ${what}`, systemSnapshot, snapshot(what))),
    ...needs.forget.map(what => tell(`forget ${what}`, systemForget, snapshot(what))),
    ...(needs.restore && restore
      ? [
          tell('restore', systemRestore, {
            ...about,
            snapshot: restore.snapshot,
            restored: restore.count,
          } as never),
        ]
      : []),
    // A new disk has no keys, and that of a snapshot its own.
    ...(needs.create || needs.restore ? [tell('authorize again', systemAuthorize, { id, name, keys })] : []),
    ...(needs.start ? [tell('start', systemStart, { id, name, restarts, deployment })] : []),
    ...(needs.install
      ? [tell('install', systemInstall, { id, name, packages: [...(settings.profile?.packages ?? [])] })]
      : []),
    ...(needs.stop ? [tell('stop', systemStop, { id, name, deployment })] : []),
  ]
}

interface Done extends Pick<PlanInput<SystemSettings>, 'app' | 'knows'> {
  readonly about: About
  readonly before: SystemObserved['system']
  readonly keys: readonly string[]
}

/** What was made goes; limits and ports become those of the release before. Nothing brings back what a restore replaced. */
function undone(
  needs: Needs,
  { about: { id, name, deployment }, before: was, app, knows, keys }: Done,
  before: Readonly<Record<string, unknown>> | undefined,
): Tell[] {
  if (needs.create) {
    return [tell('undo', systemDelete, { ...deleted(app, knows), madeBy: deployment })]
  }
  const { shape, configHash } = (before ?? {}) as Partial<Pick<About, 'shape' | 'configHash'>>
  const back = needs.move ? was?.member : undefined
  const isStopped = needs.move || needs.rename || needs.restore || needs.start
  // With the snapshot of just before, what a restore replaced would be lost for good.
  const taken = needs.restore ? [] : needs.take
  return [
    ...taken.map(snapshot => tell(`undo snapshot ${snapshot}`, systemForget, { id, name, snapshot })),
    ...(back === undefined ? [] : [tell('undo move', systemMove, { id, name, member: back, deployment })]),
    // A restore may have been done all the same, and have brought limits, ports, rights and keys of its day.
    ...((needs.resize || needs.restore) && shape && configHash
      ? [tell('undo', systemResize, { id, name, deployment, shape, configHash } as never)]
      : []),
    ...(needs.restore ? [tell('undo keys', systemAuthorize, { id, name, keys: [...keys] })] : []),
    ...(isStopped && was?.status === 'running'
      ? [tell('undo start', systemStart, { id, name, restarts: Math.max(0, was.restarts), deployment })]
      : []),
  ]
}

function verifyData(
  app: AppFacts,
  {
    settings,
    configHash,
    needs,
  }: { readonly settings: SystemSettings; readonly configHash: string; readonly needs: Needs },
) {
  const { take, forget, ...rest } = needs
  // Snapshots change nothing of what runs: one is taken also of a system that nobody can log in to.
  const isOnlyKept = !Object.values(rest).includes(true)
  const ssh = isOnlyKept ? undefined : sshPortOf(settings)
  const { running } = settings
  return {
    ...{ ...whose(app), configHash, running, withinMs: SSH_WITHIN_MS },
    ...(ssh === undefined ? {} : { ssh }),
    ...(settings.member !== undefined && (needs.move || needs.create) ? { member: settings.member } : {}),
    mustRun: running ? ['system'] : [],
  }
}

function whose(app: AppFacts) {
  return { id: idOf(app), name: app.name }
}

/** Workers that do not know the other command, which came with the name, refuse what they do not know. */
function deleted(app: AppFacts, knows: Knows | undefined) {
  return knows?.(systemMemberLook.name) ? whose(app) : { id: idOf(app) }
}

function idOf({ id, name }: AppFacts): string {
  if (id === undefined) {
    throw INTERNAL(`the system "${name}" has no id`)
  }
  return id
}
