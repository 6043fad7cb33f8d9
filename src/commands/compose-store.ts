import { join } from 'node:path'
import type { FileCall, FileResult } from '#exec/call.ts'
import { isShape, shapeOf } from '#policy/shape.ts'
import type { Hands } from './command.ts'
import { COMPOSE_ORIGINAL_GONE, COMPOSE_PROJECT_TAKEN, COMPOSE_RENDER_GONE } from './compose-errors.ts'
import {
  configFile,
  mountedFiles,
  originalFiles,
  ownerFile,
  projectFolder,
  renderFile,
} from './compose-folders.ts'
import { hashOf, OWN_KEY, type OwnPart, type Render } from './compose-model.ts'
import { checkoutFolder } from './repository-folders.ts'

const LARGEST_RENDER = 16 * 1024 * 1024
/** What a render that is being made mounts is not known yet, so young files stay. */
const YOUNG_MS = 3_600_000
/** A bind mount of a file is read by the container's user; the folder above is the worker's own. */
const READABLE = 0o444

/** Writes a rendered configuration under the hash of its text. */
export async function keepRender(
  hands: Hands,
  project: string,
  {
    text,
    valueFiles = new Map(),
  }: { readonly text: string; readonly valueFiles?: ReadonlyMap<string, string> },
): Promise<string> {
  const { workspace } = hands.host
  const hash = hashOf(text)
  const present = await hands.perform(
    fileCall({ operation: 'stat', path: renderFile(workspace, project, hash) }),
  )
  if (!present.missing) {
    return hash
  }
  for (const folder of [mountedFiles(workspace, project), originalFiles(workspace, project)]) {
    await hands.perform(fileCall({ operation: 'make-folder', path: folder }))
    for (const [name, value] of valueFiles) {
      await hands.perform(
        fileCall({ operation: 'write', path: join(folder, name), content: value, mode: READABLE }),
      )
    }
  }
  await hands.perform(
    fileCall({ operation: 'write', path: renderFile(workspace, project, hash), content: text }),
  )
  return hash
}

/** The configuration with this hash; COMPOSE_RENDER_GONE when it is not there or somebody changed it. */
export async function readRender(hands: Hands, project: string, hash: string): Promise<Render> {
  const path = renderFile(hands.host.workspace, project, hash)
  const { text } = await hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST_RENDER }))
  if (text === undefined || hashOf(text) !== hash) {
    throw COMPOSE_RENDER_GONE(project, hash)
  }
  return JSON.parse(text)
}

export async function keepConfig(
  hands: Hands,
  project: string,
  { key, text }: { readonly key: string; readonly text: string },
): Promise<void> {
  const { workspace } = hands.host
  await hands.perform(fileCall({ operation: 'make-folder', path: projectFolder(workspace, project) }))
  await hands.perform(
    fileCall({ operation: 'write', path: configFile(workspace, project, key), content: text }),
  )
}

export async function readConfig(hands: Hands, project: string, key: string): Promise<string | undefined> {
  const path = configFile(hands.host.workspace, project, key)
  const { text } = await hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST_RENDER }))
  return text
}

/** Copies what services mount out of the checkout, unless the same content is there already. */
export async function copyMounts(hands: Hands, project: string, own: OwnPart): Promise<void> {
  if (!own.source) {
    return
  }
  const { workspace } = hands.host
  const checkout = checkoutFolder(workspace, own.source.repository, own.source.commit)
  for (const [path, id] of Object.entries(own.mounts)) {
    for (const folder of [originalFiles(workspace, project), mountedFiles(workspace, project)]) {
      const to = join(folder, id)
      const present = await hands.perform(fileCall({ operation: 'stat', path: to }))
      if (present.missing) {
        await hands.perform(fileCall({ operation: 'copy', path: join(checkout, path), to }))
      }
    }
  }
}

/** Gives files that were edited on the host their content back. Containers see it once they are made anew. */
export async function mendMounts(hands: Hands, project: string, names: readonly string[]): Promise<void> {
  const { workspace } = hands.host
  for (const name of names) {
    const from = join(originalFiles(workspace, project), name)
    const to = join(mountedFiles(workspace, project), name)
    const { missing } = await hands.perform(fileCall({ operation: 'stat', path: from }))
    if (missing) {
      throw COMPOSE_ORIGINAL_GONE(project, name)
    }
    // Out of the way, not away: a container that still serves may read it until it is replaced.
    await hands.perform(fileCall({ operation: 'remove', path: `${to}.edited` }))
    await hands.perform(fileCall({ operation: 'rename', path: to, to: `${to}.edited` }))
    await hands.perform(fileCall({ operation: 'copy', path: from, to }))
    hands.say(
      `a mounted file that was edited on the host has its content back (${name.slice(0, 12)})`,
      'info',
    )
  }
}

export interface Owner {
  readonly app: string
  /** Names of routes that ever led to services of the project. */
  readonly routes: readonly string[]
  /** It runs on another engine now, and this place is free; what was rendered here can be gone back to. */
  readonly hasLeft?: boolean
}

export async function readOwner(hands: Hands, project: string): Promise<Owner | undefined> {
  const path = ownerFile(hands.host.workspace, project)
  const { text } = await hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST_RENDER }))
  const owner: unknown = text === undefined ? undefined : JSON.parse(text)
  return isShape(owner)
    ? {
        app: String(owner.app),
        routes: Array.isArray(owner.routes) ? owner.routes.map(String) : [],
        ...(owner.hasLeft === true ? { hasLeft: true } : {}),
      }
    : undefined
}

/** Notes whose project it is, before anything of it runs. */
export async function claimProject(hands: Hands, project: string, own: OwnPart): Promise<void> {
  const owner = await readOwner(hands, project)
  if (owner && owner.app !== own.app && !owner.hasLeft) {
    throw COMPOSE_PROJECT_TAKEN(project, owner.app)
  }
  const routes = [...new Set([...(owner?.routes ?? []), ...own.routes.map(route => route.name)])].sort()
  if (!owner || owner.hasLeft || routes.length !== owner.routes.length) {
    await writeOwner(hands, project, { app: own.app, routes })
  }
}

/** Nothing of it runs here any more. */
export async function leaveProject(hands: Hands, project: string): Promise<void> {
  const owner = await readOwner(hands, project)
  if (owner) {
    await writeOwner(hands, project, { ...owner, hasLeft: true })
  }
}

async function writeOwner(hands: Hands, project: string, owner: Owner): Promise<void> {
  const { workspace } = hands.host
  const path = ownerFile(workspace, project)
  await hands.perform(fileCall({ operation: 'make-folder', path: projectFolder(workspace, project) }))
  await hands.perform(fileCall({ operation: 'write', path, content: JSON.stringify(owner) }))
}

/** Projects of an app on this host. */
export async function projectsOf(hands: Hands, app: string): Promise<readonly string[]> {
  return (await ownedBy(hands, app)).map(({ name }) => name)
}

/** The same with what is written down of each. */
export async function ownedBy(hands: Hands, app: string) {
  const { names = [] } = await hands.perform(
    fileCall({ operation: 'list', path: join(hands.host.workspace, 'renders') }),
  )
  const owners = await Promise.all(names.map(async name => ({ name, owner: await readOwner(hands, name) })))
  return owners.flatMap(({ name, owner }) => (owner?.app === app ? [{ name, owner }] : []))
}

export async function forgetProject(hands: Hands, project: string): Promise<void> {
  await hands.perform(fileCall({ operation: 'remove', path: projectFolder(hands.host.workspace, project) }))
}

/** Removes the oldest renders, what only they mount, and the oldest configurations. */
export async function pruneRenders(
  hands: Hands,
  project: string,
  keep: { readonly current: readonly string[]; readonly most: number },
): Promise<void> {
  const folder = projectFolder(hands.host.workspace, project)
  const { names = [] } = await hands.perform(fileCall({ operation: 'list', path: folder }))
  const renders = names.filter(
    name => /^[0-9a-f]{64}\.json$/.test(name) && !keep.current.includes(name.slice(0, 64)),
  )
  const kept = await keepNewest(hands, folder, { names: renders, most: keep.most })
  const configs = names.filter(name => name.startsWith('config-'))
  await keepNewest(hands, folder, { names: configs, most: keep.most })
  const pinned = keep.current.filter(hash => names.includes(`${hash}.json`))
  await pruneMounts(hands, project, [...pinned, ...kept.map(name => name.slice(0, 64))])
}

/** The names of the files that stay. */
async function keepNewest(
  hands: Hands,
  folder: string,
  { names, most }: { readonly names: readonly string[]; readonly most: number },
): Promise<readonly string[]> {
  const aged = await Promise.all(
    names.map(async name => ({
      name,
      ...(await hands.perform(fileCall({ operation: 'stat', path: join(folder, name) }))),
    })),
  )
  const newestFirst = aged
    .toSorted((a, b) => (b.modifiedMs ?? 0) - (a.modifiedMs ?? 0))
    .map(each => each.name)
  for (const name of newestFirst.slice(most)) {
    await hands.perform(fileCall({ operation: 'remove', path: join(folder, name) }))
  }
  return newestFirst.slice(0, most)
}

async function pruneMounts(hands: Hands, project: string, hashes: readonly string[]): Promise<void> {
  const renders = await Promise.all(hashes.map(hash => readRender(hands, project, hash)))
  const texts = renders.map(
    render => `${JSON.stringify(render)}${Object.values(shapeOf(render[OWN_KEY]).mounts ?? {}).join()}`,
  )
  for (const place of [mountedFiles, originalFiles]) {
    const folder = place(hands.host.workspace, project)
    const { names = [] } = await hands.perform(fileCall({ operation: 'list', path: folder }))
    for (const name of names.filter(each => !texts.some(text => text.includes(each)))) {
      const path = join(folder, name)
      const { modifiedMs = 0 } = await hands.perform(fileCall({ operation: 'stat', path }))
      if (hands.clock.now() - modifiedMs > YOUNG_MS) {
        await hands.perform(fileCall({ operation: 'remove', path }))
      }
    }
  }
}

type FileWish =
  FileCall<unknown> extends infer C ? (C extends unknown ? Omit<C, 'kind' | 'read'> : never) : never

function fileCall(wish: FileWish): FileCall<FileResult> {
  return { kind: 'file', ...wish, read: result => result } as FileCall<FileResult>
}
