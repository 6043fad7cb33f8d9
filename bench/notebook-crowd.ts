import type { Client } from '#cli/client.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from '../integration/world/command.ts'
import type { NotebookSystem } from '../integration/world/notebook-system.ts'
import { project } from './notebook-files.ts'

/** So long all of them may take to be served. */
const LONGEST_MS = 20 * 60_000
const EVERY_MS = 200
/** Of the base image with a small server. A project that asks for none gets a newer one. */
export const TINY_PYTHON = '3.10'
const TINY = `env: { python: "${TINY_PYTHON}" }\nrun: { memory: 16m, cpus: 0.1, pids: 16 }\n`

/**
 * Pushes so many more projects, each with a server and an address, and stops the servers once all are served, as a
 * machine that is restarted does: they sleep. Gives the time from the push until then, undefined when it takes too long.
 */
export async function serveCrowd(world: NotebookSystem, count: number): Promise<number | undefined> {
  const { system, remote } = world
  const { client } = system.together()
  const names = Array.from({ length: count }, (_, at) => `many-p${at}`)
  names.forEach(name => void system.own(name))
  const files = names.map((name, at) => project(name.replace('-', '/'), `page ${at}`, TINY))
  const commit = await remote.push(Object.assign({}, ...files))
  const pushedAt = systemClock.monotonic()
  await world.tellOf(commit)
  let running = await containersOf(names)
  while (running.length < count) {
    if (systemClock.monotonic() > pushedAt + LONGEST_MS) {
      return undefined
    }
    const [failed] = await deploymentsOf(client, { state: 'failed' })
    if (failed) {
      throw new Error(`a project is not served: ${JSON.stringify(failed.error, undefined, 2)}`)
    }
    await systemClock.sleep(EVERY_MS)
    running = await containersOf(names)
  }
  await quiet(client)
  const ms = systemClock.monotonic() - pushedAt
  await docker('kill', ...running)
  return ms
}

/** Until nothing is at work or in line any more. */
export async function quiet(client: Client): Promise<void> {
  for (;;) {
    const open = await Promise.all(['queued', 'running'].map(state => deploymentsOf(client, { state })))
    if (open.every(({ length }) => length === 0)) {
      return
    }
    await systemClock.sleep(EVERY_MS)
  }
}

/** The newest ones; none of an app that there is not yet. */
export async function deploymentsOf(
  client: Client,
  filter: Readonly<Record<string, string>>,
): Promise<readonly DeploymentDocument[]> {
  const query = new URLSearchParams(filter)
  const page = await client
    .get<{ items: DeploymentDocument[] }>(`/deployments?${query}`)
    .catch(() => ({ items: [] }))
  return page.items
}

async function containersOf(apps: readonly string[]): Promise<readonly string[]> {
  const format = '{{.ID}} {{.Label "io.fairlead.app"}}'
  const lines = (await docker('ps', '--no-trunc', '--format', format)).trim().split('\n')
  return lines.flatMap(line => {
    const [id = '', app = ''] = line.split(' ')
    return apps.includes(app) ? [id] : []
  })
}

function docker(...args: string[]): Promise<string> {
  return mustRun('docker', args, { folder: '/' })
}
