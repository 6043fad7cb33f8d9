import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { ProgramCall } from './call.ts'
import { processOf } from './process-group.ts'
import type { Ended, Exit } from './program-outcome.ts'

/** A program that goes on when its worker is killed: what the next worker needs to find it again. */
export interface OutlivingProgram extends Pick<ProgramCall<unknown>, 'program' | 'show' | 'maxOutputBytes'> {
  /** `outlives` of its call. */
  readonly what: string
  /** Leader and number of its process group. With the start and the boot it names one process for good. */
  readonly pid: number
  readonly started: number
  readonly boot: string
  /** Folder with what it prints and, in the end, its exit code. */
  readonly outputs: string
  /** Folder with the temporary files of the call. */
  readonly files?: string
}

/** How a command keeps track of its outliving programs. */
export interface Outliving {
  /** Notes the one that has just begun; the one before it has ended. */
  readonly note: (program: OutlivingProgram) => void
  /** How the one ended that an earlier worker began, given once, if it is this. */
  readonly take: (what: string | undefined) => Ended | undefined
}

/** The host since its last start: after another one no process of before is there. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}

/** Whether there is something to take up: it still runs, or its exit code was written down. */
export function canTakeUp(program: OutlivingProgram): boolean {
  const boot = bootId()
  return boot !== '' && program.boot === boot && (isAlive(program) || exitIn(program.outputs) !== undefined)
}

/** Another start means that the system gave the number to somebody else's process. */
export function isAlive({ pid, started }: Pick<OutlivingProgram, 'pid' | 'started'>): boolean {
  const process = processOf(pid)
  return process?.started === started && process.state !== 'Z' && process.state !== 'X'
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

export const FILES = { stdout: 'stdout', stderr: 'stderr', exit: 'exit' } as const

/** How it ended, as its shell wrote it down; undefined when it did not come to that. */
export function exitIn(outputs: string): Exit | undefined {
  try {
    const [, code] = /^(\d{1,3})\n/.exec(readFileSync(join(outputs, FILES.exit), 'latin1')) ?? []
    return code === undefined ? undefined : exitOf(Number(code))
  } catch {
    return undefined
  }
}

/** Git's own code for a wrong usage; a program that is hung up is none of ours. */
const NO_SIGNAL = 129

/** The keeper of a program ends with its exit code. */
export function exitOfKeeper({ exitCode, signal }: Exit): Exit {
  return exitCode === null ? { exitCode, signal } : exitOf(exitCode)
}

/** A shell says of a program that a signal ended 128 and the number of the signal. */
function exitOf(code: number): Exit {
  const signal = code > NO_SIGNAL ? SIGNALS.get(code - 128) : undefined
  return signal === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal }
}
