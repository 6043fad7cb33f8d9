import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { signalGroup } from './background-process.ts'
import { type Leftovers, sweepEngine } from './remove-from-engine.ts'

const PREFIX = 'fairlead-demo-'
const OWNER = 'owner'
const LEFTOVERS = 'leftovers.json'
const QUIET_LOOKS = 3
const BETWEEN_LOOKS_MS = 500

/** Where one run of the demo keeps all it makes, and the name by which its things in the engine are known. */
export interface Place {
  readonly folder: string
  /** Unique on this machine; also the name of the network. */
  readonly name: string
  /** Remembers what has to be removed from the engine, for a later run if this one is killed. */
  remember(leftovers: Omit<Leftovers, 'network'>): Promise<void>
  remove(): Promise<void>
}

/** A new temporary folder. What a run left behind whose process was killed is cleaned up first. */
export async function openPlace(): Promise<Place> {
  for (const folder of await abandonedFolders()) {
    await sweep(folder)
  }
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  await writeFile(join(folder, OWNER), await markOf(process.pid))
  return {
    folder,
    name: nameOf(folder),
    remember: leftovers => writeFile(join(folder, LEFTOVERS), JSON.stringify(leftovers)),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function abandonedFolders(): Promise<string[]> {
  const names = (await readdir(tmpdir())).filter(name => name.startsWith(PREFIX))
  const folders = names.map(name => join(tmpdir(), name))
  const abandoned = await Promise.all(folders.map(isAbandoned))
  return folders.filter((_, index) => abandoned[index])
}

async function isAbandoned(folder: string): Promise<boolean> {
  const owner = await readFile(join(folder, OWNER), 'utf8').catch(() => undefined)
  // One without an owner is being made just now.
  return owner !== undefined && owner !== (await markOf(Number(owner.split(' ')[0])))
}

/** A process id is given again, but not with the same time of start. */
async function markOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
}

async function sweep(folder: string): Promise<void> {
  for (const pid of await processesIn(folder)) {
    signalGroup(pid, 'SIGKILL')
  }
  const leftovers = JSON.parse(
    await readFile(join(folder, LEFTOVERS), 'utf8').catch(() => '{}'),
  ) as Partial<Leftovers>
  // What the engine was making for a process that is dead now appears a moment later.
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    const found = await sweepEngine({ ...leftovers, network: nameOf(folder) })
    quiet = found === 0 ? quiet + 1 : 0
    await systemClock.sleep(BETWEEN_LOOKS_MS)
  }
  await rm(folder, { recursive: true, force: true })
}

function nameOf(folder: string): string {
  return basename(folder).toLowerCase()
}

/** Leaders of the process groups that work in a folder. */
async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const places = await Promise.all(pids.map(pid => readlink(`/proc/${pid}/cwd`).catch(() => '')))
  return pids.filter((_, index) => places[index]?.startsWith(`${folder}/`)).map(Number)
}
