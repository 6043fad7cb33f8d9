import { existsSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import { projectFolder } from '#commands/compose-folders.ts'
import { routesOf, switchboardOf, volumesOf } from '#world/traces.ts'
import type { CrashApp } from './crash-app.ts'
import type { CrashWorld } from './crash-world.ts'

/** The newest images that stay for going back, and those of the present and the previous release. */
const MOST_IMAGES = 7

/** Everything that is there and should not be, in words; empty when all is tidy. */
export async function leftBehind(world: CrashWorld, apps: readonly CrashApp[]): Promise<readonly string[]> {
  const found = await Promise.all([
    inWorkspace(world),
    inFolders(world),
    processes(world),
    listeners(world),
    inEngine(world, apps),
    aroundApps(world, apps),
    inDatabase(world),
  ])
  return found.flat()
}

/** Half-made folders, packs and locks; checkouts of commits that no release has. */
async function inWorkspace({ system }: CrashWorld): Promise<readonly string[]> {
  const workspace = join(system.folder, 'worker/workspace')
  const paths = (await readdir(workspace, { recursive: true })) as string[]
  const halfMade = paths.filter(path => /(^|\/)(\.tmp-|tmp_)[^/]*$|\.lock$|\.new$/.test(path))
  const commits = new Set(releasedCommits(system.folder))
  const checkouts = paths.filter(path => /^checkouts\/[^/]+\/[^/]+$/.test(path))
  const foreign = checkouts.filter(path => !commits.has(path.split('/').at(-1) ?? ''))
  return [...halfMade, ...foreign].map(path => `workspace: ${path}`)
}

/** Files of calls, of commands, and what a write that was cut off leaves. */
async function inFolders({ system }: CrashWorld): Promise<readonly string[]> {
  const left: string[] = []
  for (const folder of ['worker/temporary', 'worker/commands']) {
    const names = await readdir(join(system.folder, folder))
    left.push(...names.map(name => `${folder}/${name}`))
  }
  for (const folder of ['worker', 'manager']) {
    const names = await readdir(join(system.folder, folder))
    left.push(...names.filter(name => /\.(new|tmp)$/.test(name)).map(name => `${folder}/${name}`))
  }
  return left
}

/** Processes of this world beside its parts: whatever works in its folder or has it in its command line or environment. */
async function processes({ system, manager, worker }: CrashWorld): Promise<readonly string[]> {
  const known = [manager.pid, worker.pid, process.pid]
  const left: string[] = []
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')
    const [line, environment, cwd, stat] = await Promise.all([
      read('cmdline'),
      read('environ'),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      read('stat'),
    ])
    const ours = [line, environment, cwd].some(text => text.includes(system.folder))
    const isPart = known.includes(Number(pid)) || /(^|\/)(caddy|docker-registry)\0/.test(line)
    if (ours && !isPart && !/\) [ZX] /.test(stat)) {
      left.push(`process ${pid}: ${line.replaceAll('\0', ' ').slice(0, 200)}`)
    }
  }
  return left
}

/** The manager listens once; the worker for its manager, and for names over TCP. */
async function listeners({ manager, worker }: CrashWorld): Promise<readonly string[]> {
  const counts = await Promise.all([countListeners(manager.pid), countListeners(worker.pid)])
  return counts.join() === '1,3' ? [] : [`listening sockets of manager and worker: ${counts.join(' and ')}`]
}

async function countListeners(pid: number): Promise<number> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(name => readFile(`/proc/net/${name}`, 'utf8')))
  const listening = new Set(
    tables
      .join('\n')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .flatMap(fields => (fields[3] === '0A' ? [fields[9] ?? ''] : [])),
  )
  const files = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(files.map(file => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
  return targets.filter(target => listening.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '')).length
}

interface EngineContainer {
  readonly Names: readonly string[]
  readonly State: string
  readonly Labels: Readonly<Record<string, string>>
}

interface EngineImage {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
}

interface EngineNetwork {
  readonly Name: string
}

async function inEngine(
  { system, dockerSocket = DOCKER_SOCKET }: CrashWorld,
  apps: readonly CrashApp[],
): Promise<readonly string[]> {
  const left: string[] = []
  for (const { name } of apps) {
    const filters = { label: [`io.fairlead.app=${name}`] }
    const containers = await listFromEngine<EngineContainer>(dockerSocket, '/containers/json', filters)
    const isThere = existsInDatabase(system.folder, name)
    if (containers.length !== (isThere ? 1 : 0) || containers.some(({ State }) => State !== 'running')) {
      const all = containers.map(({ Names, State }) => `${Names[0]} ${State}`)
      left.push(`containers of ${name}: ${all.join(', ') || 'none'}`)
    }
    const images = await listFromEngine<EngineImage>(dockerSocket, '/images/json', filters)
    const nameless = images.filter(({ RepoTags }) => (RepoTags ?? []).every(tag => tag === '<none>:<none>'))
    left.push(...nameless.map(({ Id }) => `image of ${name} without a name: ${Id}`))
    if (images.length > (isThere ? MOST_IMAGES : 0)) {
      left.push(`${images.length} images of ${name}`)
    }
    const projects = await listFromEngine<EngineNetwork>(dockerSocket, '/networks', {
      label: [`com.docker.compose.project=${name}`],
    })
    if (projects.length > (isThere ? 1 : 0)) {
      left.push(`networks of ${name}: ${projects.map(network => network.Name).join(', ')}`)
    }
  }
  return left
}

/** Routes, volumes (no app of these has one), and on the worker what only an app that is known may have. */
async function aroundApps(
  { system, dockerSocket }: CrashWorld,
  apps: readonly CrashApp[],
): Promise<readonly string[]> {
  const worker = join(system.folder, 'worker')
  const left: string[] = []
  for (const { name, host } of apps) {
    const isThere = existsInDatabase(system.folder, name)
    const routes = await routesOf(system, name)
    left.push(...routes.filter(hosts => !isThere || hosts !== host).map(hosts => `route: ${hosts}`))
    left.push(...(await volumesOf(name, dockerSocket)).map(volume => `volume: ${volume}`))
    if (!isThere) {
      left.push(...(await switchboardOf(worker, name)).map(line => `switchboard: ${line}`))
      left.push(...(existsSync(projectFolder(join(worker, 'workspace'), name)) ? [`renders of ${name}`] : []))
    }
  }
  return left
}

/** Rows that say that something is at work, when nothing is. */
async function inDatabase({ system }: CrashWorld): Promise<readonly string[]> {
  const file = join(system.folder, 'manager/fairlead.db')
  return existsSync(file)
    ? [
        ...rows(system.folder, `SELECT command AS what FROM commands WHERE state = 'told'`),
        ...rows(system.folder, `SELECT name AS what FROM steps WHERE state = 'running'`),
        ...rows(
          system.folder,
          `SELECT state AS what FROM deployments WHERE state IN ('queued', 'running', 'waiting')`,
        ),
      ].map(what => `row at work: ${what}`)
    : ['the database is gone']
}

function existsInDatabase(folder: string, app: string): boolean {
  return rows(folder, 'SELECT name AS what FROM apps').includes(app)
}

function releasedCommits(folder: string): readonly string[] {
  return rows(folder, `SELECT "commit" AS what FROM releases`)
}

function rows(folder: string, query: string): readonly string[] {
  using database = disposable(new DatabaseSync(join(folder, 'manager/fairlead.db'), { readOnly: true }))
  return database.value
    .prepare(query)
    .all()
    .map(row => String(row.what))
}

function disposable(value: DatabaseSync) {
  return { value, [Symbol.dispose]: () => value.close() }
}
