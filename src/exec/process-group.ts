import { readdirSync, readFileSync } from 'node:fs'
import type { Clock } from '#lib/clock.ts'

interface GroupEnd {
  readonly group: number
  readonly clock: Clock
  readonly graceMs: number
}

/** Ends a process group: SIGTERM, after the grace time SIGKILL. Says whether it is gone when it returns. */
export async function endGroup({ group, clock, graceMs }: GroupEnd): Promise<'gone' | 'stays'> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    sendSignal(group, signal)
    if ((await groupGone({ group, clock, graceMs })) === 'gone') {
      return 'gone'
    }
  }
  // What SIGKILL does not end hangs in the kernel (a dead network disk); waiting longer would hang the worker too.
  return 'stays'
}

/** Waits until no process of the group is left, at most the grace time. */
export async function groupGone({ group, clock, graceMs }: GroupEnd): Promise<'gone' | 'stays'> {
  const until = clock.monotonic() + graceMs
  for (let pause = 5; groupAlive(group); pause = Math.min(pause * 2, 200)) {
    const left = until - clock.monotonic()
    if (left <= 0) {
      return 'stays'
    }
    await clock.sleep(Math.min(pause, left))
  }
  return 'gone'
}

/** Whether a process of the group still runs. One that only waits to be collected by its parent does not. */
export function groupAlive(group: number): boolean {
  return sendSignal(group, 0) === 'sent' && hasRunningMember(group)
}

function sendSignal(group: number, signal: NodeJS.Signals | 0): 'sent' | 'nobody' {
  try {
    process.kill(-group, signal)
    return 'sent'
  } catch (error) {
    // EPERM: somebody is there who runs as another user by now.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'sent' : 'nobody'
  }
}

/** In a container whose first process collects no orphans, a dead member stays in the table as a zombie. */
function hasRunningMember(group: number): boolean {
  try {
    return readdirSync('/proc').some(name => /^\d+$/.test(name) && isRunningMember(name, group))
  } catch {
    return true
  }
}

function isRunningMember(pid: string, group: number): boolean {
  const process = processOf(Number(pid))
  return process?.group === group && process.state !== 'Z' && process.state !== 'X'
}

interface Process {
  readonly state: string
  readonly group: number
  /** In clock ticks since the host started: with the pid it names one process for good. */
  readonly started: number
}

/** What the system's table says of a process, undefined when there is none. */
export function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // pid (name) state parent group …; the name may hold spaces and brackets. The start is the 22nd field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', group: Number(fields[2]), started: Number(fields[19]) }
  } catch {
    return undefined
  }
}
