import { readdir } from 'node:fs/promises'
import type { PartProcess } from '#world/part-process.ts'
import { ownMemoryOf } from './processes.ts'

/** What both processes take at one moment. */
export interface Sample {
  /** Since the load began. */
  readonly atMs: number
  readonly manager: Taken
  readonly worker: Taken
}

interface Taken {
  /** MiB, without what it shares with other processes. */
  readonly memory: number
  /** Sockets and pipes count too. */
  readonly files: number
}

export async function sampleOf(
  { manager, worker }: { readonly manager: PartProcess; readonly worker: PartProcess },
  atMs: number,
): Promise<Sample> {
  return { atMs, manager: await takenBy(manager.pid), worker: await takenBy(worker.pid) }
}

async function takenBy(pid: number): Promise<Taken> {
  return { memory: await ownMemoryOf(pid), files: (await readdir(`/proc/${pid}/fd`)).length }
}
