import { createHash } from 'node:crypto'
import type { Static } from 'typebox'
import type { NotebookFound, NotebookScanned } from '#commands/notebook-scan-data.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { idleOf } from '#recipes/notebook-settings.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'

/** A notebook project as a scan found it. */
export type FoundProject = Static<typeof NotebookFound>
export type FoundProjects = NotebookScanned

/** What nb.yaml and notebooks.yaml say of a project, in the words of a deploy file. */
export function targetSettingsOf({ folder, entry, settings }: FoundProject): NotebookTargetSettings {
  const { mode, run = {}, access } = settings
  const { memory, cpus, pids, shm, env, secrets } = run
  const said = {
    ...{ folder, entry: entry ?? undefined, mode, cpus, pids, secrets, idle: idleOf(run) },
    address: access?.trust === 'team' ? ('path' as const) : undefined,
    ...{ memory: plain(memory), shm: plain(shm), environment: env },
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

/**
 * Equal where neither the files nor the settings of a project changed: then there is nothing to build, whatever else the
 * repository holds. Undefined for one that uses folders outside of its own.
 */
export function fingerprintOf(project: FoundProject, settings: object): string | undefined {
  if (project.settings.env?.include) {
    return undefined
  }
  const said = canonicalJson([project.contentHash, project.settings, settings])
  return createHash('sha256').update(said).digest('hex')
}

/** nb.yaml knows terabytes. */
function plain(size: string | undefined): string | undefined {
  return size?.endsWith('t') ? `${Number.parseInt(size, 10) * 1024}g` : size
}
