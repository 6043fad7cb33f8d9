import { join } from 'node:path'
import { isShape } from '#policy/shape.ts'
import type { Hands } from './command.ts'
import { COMPOSE_PROJECT_TAKEN, COMPOSE_RENDER_GONE } from './compose-errors.ts'
import {
  configFile,
  mountedFiles,
  originalFiles,
  ownerFile,
  projectFolder,
  renderFile,
} from './compose-folders.ts'
import { hashOf, type OwnPart, type Render } from './compose-model.ts'
import { pruneMounts } from './compose-mounts.ts'
import { fileCall } from './file-call.ts'
import { forgetRules, noteRules } from './stored-policy.ts'

const LARGEST_RENDER = 16 * 1024 * 1024
/** A bind mount of a file is read by the container's user; the folder above is the worker's own. */
const READABLE = 0o444

/** Writes a rendered configuration, which the policy allows now, under the hash of its text. */
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
  await hands.perform(fileCall({ operation: 'make-folder', path: projectFolder(workspace, project) }))
  await noteRules(hands, project, hash)
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

/** Projects of an app on this host with what is written down of each. */
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
  for (const name of renders.filter(each => !kept.includes(each))) {
    await forgetRules(hands, project, name.slice(0, 64))
  }
  const configs = names.filter(name => name.startsWith('config-'))
  await keepNewest(hands, folder, { names: configs, most: keep.most })
  const pinned = keep.current.filter(hash => names.includes(`${hash}.json`))
  const hashes = [...pinned, ...kept.map(name => name.slice(0, 64))]
  await pruneMounts(hands, project, await Promise.all(hashes.map(hash => readRender(hands, project, hash))))
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
