import { dirname } from 'node:path'
import type { DiskSpace } from '#lib/disk-space.ts'
import { engineFolder } from '#programs/engine-facts.ts'
import type { Hands } from './command.ts'
import { diskFinding } from './disk-finding.ts'
import type { Finding } from './host-checks.ts'

export async function checkWorkerDisk(hands: Hands): Promise<Finding> {
  const space = await spaceAt(hands, `${hands.host.workspace}/repositories`)
  return diskFinding(space ?? NOTHING, { where: 'the worker keeps its files', mend: pruning(hands) })
}

/**
 * Of the host's own engine: others may be on other machines, whose folders nobody here sees. An engine that does not
 * answer is the finding of another check, and a folder that the worker cannot see is no fault.
 */
export async function checkEngineDisk(hands: Hands): Promise<Finding> {
  const { perform, signal, host } = hands
  const folder = await perform(engineFolder(host.dockerSocket)).catch(() => '')
  signal.throwIfAborted()
  if (folder === '') {
    return { detail: 'the engine does not tell where it keeps its files' }
  }
  const space = await spaceAt(hands, folder).catch(() => undefined)
  signal.throwIfAborted()
  return space
    ? diskFinding(space, { where: `the engine keeps its files, ${folder}`, mend: pruning(hands) })
    : { detail: `the worker does not see ${folder}, where the engine keeps its files` }
}

export async function checkGuardianDisk(hands: Hands): Promise<Finding> {
  const { name, workspace } = hands.host
  const space = await spaceAt(hands, workspace)
  const mend = `Free some space: "df -h ${workspace}" on the machine of ${name} shows on which file system.`
  return diskFinding(space ?? NOTHING, { where: 'the guardian keeps its files', mend })
}

const NOTHING: DiskSpace = { freeBytes: 0, bytes: 0, freeInodes: 0, inodes: 0 }

function pruning({ host }: Hands): string {
  return `Free some space: "fairlead hosts prune ${host.name} --dry-run" shows what nobody needs.`
}

/** Undefined: there is no such folder. */
async function spaceAt({ perform }: Hands, path: string): Promise<DiskSpace | undefined> {
  return await perform<DiskSpace | undefined>({
    kind: 'file',
    operation: 'stat',
    path,
    within: dirname(path),
    read: found => found.disk,
  })
}
