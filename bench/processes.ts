import { readFile } from 'node:fs/promises'

/** Linux counts processor time in ticks of a hundredth of a second. */
const TICK_MS = 10

/** Proportional set size of a process in MiB: its own memory and its share of what it shares. */
export async function pssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
}

/** What a process has for itself alone, in MiB: unlike the proportional size it does not change with what others share. */
export async function ownMemoryOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss_Anon:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
}

/** Processor time that a process itself has used, without the programs that it started, in ms. */
export async function processorTimeOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
