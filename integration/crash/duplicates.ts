import { readFile } from 'node:fs/promises'
import type { CrashWorld } from './crash-world.ts'

/** What was done more than once since the world began: commands by their id, pushes by their content. */
export async function duplicates({ system, worker }: CrashWorld): Promise<readonly string[]> {
  const [log, requests] = await Promise.all([
    readFile(worker.logFile, 'utf8'),
    readFile(system.registry.logFile, 'utf8'),
  ])
  return [
    ...repeated(startedCommands(log)).map(command => `executed again: ${command}`),
    ...repeated(pushedManifests(requests)).map(manifest => `pushed again: ${manifest}`),
  ]
}

function startedCommands(log: string): readonly string[] {
  return log
    .split('\n')
    .filter(line => line.includes('"event":"command.started"'))
    .map(line => JSON.parse(line) as { command: string; id: string })
    .map(({ command, id }) => `${command} ${id}`)
}

/** Tags are made from the content of an image, so that one push of each is enough. */
function pushedManifests(log: string): readonly string[] {
  return [...log.matchAll(/"PUT (\/v2\/\S+\/manifests\/\S+) HTTP\/[\d.]+" 201 /g)].map(
    found => found[1] ?? '',
  )
}

function repeated(names: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return names.filter(name => seen.has(name) || !seen.add(name))
}
