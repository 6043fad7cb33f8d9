import { rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { isAlive, type OutlivingProgram } from './outliving.ts'
import { removePrintedFiles } from './printed-files.ts'
import { endGroup, processOf } from './process-group.ts'
import { removeTemporaryFiles } from './temporary-files.ts'

const PREFIX = 'fairlead-group-'

/**
 * Notes in the worker's own folder that a process group runs, until disposed: a worker that is killed cannot end what
 * it started, so the next one does. Without a folder nothing is noted.
 */
export function markGroup(group: number, folder: string | undefined): Disposable {
  const process = processOf(group)
  if (folder === undefined || !process) {
    return { [Symbol.dispose]() {} }
  }
  const path = join(folder, nameOf({ pid: group, started: process.started }))
  try {
    writeFileSync(path, '', { mode: 0o600 })
  } catch {
    // A full disk must not stop a program that may be there to free it.
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}

/** Removes the note of a group that another worker made. */
export function unmarkGroup(program: OutlivingProgram, folder: string | undefined): void {
  if (folder !== undefined) {
    rmSync(join(folder, nameOf(program)), { force: true })
  }
}

interface Leftovers {
  /** The worker's own folder for temporary files; no other worker uses it. */
  readonly folder: string
  readonly clock: Clock
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number
  /** Programs that this worker takes up. */
  readonly kept: readonly OutlivingProgram[]
}

/** Ends the programs and removes the files that a killed worker left. For a worker's start, before it takes commands. */
export async function removeLeftovers({ folder, clock, graceMs, kept }: Leftovers): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, group, started] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)$`).exec(name) ?? []
    if (group === undefined || kept.some(program => isAlive(program) && nameOf(program) === name)) {
      continue
    }
    // Another start means that the system gave the number to somebody else's process.
    if (processOf(Number(group))?.started === Number(started)) {
      await endGroup({ group: Number(group), clock, graceMs })
    }
    rmSync(join(folder, name), { force: true })
  }
  await removeTemporaryFiles(
    folder,
    kept.flatMap(({ files }) => files ?? []),
  )
  await removePrintedFiles(
    folder,
    kept.map(({ outputs }) => outputs),
  )
}

function nameOf({ pid, started }: Pick<OutlivingProgram, 'pid' | 'started'>): string {
  return `${PREFIX}${pid}-${started}`
}
