import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile } from 'node:fs/promises'
import { systemClock } from '#lib/clock.ts'

/** Where programs are looked for: nothing is taken from the environment of the caller. */
export const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const GRACE_MS = 5_000
const ASK_AGAIN_MS = 20

export interface ProcessToStart {
  readonly program: string
  readonly args: readonly string[]
  /** Working directory and HOME; made when it is absent. */
  readonly folder: string
  /** Both outputs are appended here. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
  /** Asked again and again; true means that the process serves. */
  readonly ready: () => Promise<boolean>
  /** Default 60 000. */
  readonly readyWithinMs?: number
}

export interface BackgroundProcess {
  readonly pid: number
  /** Resolves with how it ended, such as `ended with exit code 1`. */
  readonly ended: Promise<string>
  /** Asks the process to end, forces it after 5 s, and resolves when it is gone. */
  close(): Promise<void>
}

/**
 * A program in its own process group, once it is ready. Rejects with an Error that carries the last log lines when the
 * program is missing, ends early or is not ready in time; nothing is left running then.
 */
export async function startProcess(start: ProcessToStart): Promise<BackgroundProcess> {
  await mkdir(start.folder, { recursive: true })
  await using log = await open(start.logFile, 'a', 0o600)
  const logStart = (await log.stat()).size
  const child = spawn(start.program, start.args, {
    cwd: start.folder,
    env: { PATH: SEARCH_PATH, LC_ALL: 'C', HOME: start.folder, ...start.env },
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  })
  const pid = await pidOf(child, start.program)
  const end = endOf(child)
  try {
    await waitUntilReady(start, end)
  } catch (error) {
    await stop(pid, end)
    throw new Error(`${(error as Error).message}\n${await lastLines(start.logFile, logStart)}`)
  }
  return { pid, ended: end.happened, close: () => stop(pid, end) }
}

interface End {
  /** How the process ended; undefined while it runs. */
  how: string | undefined
  readonly happened: Promise<string>
}

async function pidOf(child: ChildProcess, program: string): Promise<number> {
  await once(child, 'spawn').catch(cause => {
    throw new Error(`${program} cannot be started (scripts/setup installs what is missing)`, { cause })
  })
  if (child.pid === undefined) {
    throw new Error(`${program} has no process id`)
  }
  return child.pid
}

function endOf(child: ChildProcess): End {
  const { promise, resolve } = Promise.withResolvers<string>()
  const end: End = { how: undefined, happened: promise }
  child.once('exit', (code, signal) => {
    end.how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`
    resolve(end.how)
  })
  return end
}

async function waitUntilReady(start: ProcessToStart, end: End): Promise<void> {
  const within = start.readyWithinMs ?? 60_000
  const deadline = systemClock.monotonic() + within
  while (systemClock.monotonic() < deadline) {
    const ready = await start.ready()
    if (end.how) {
      throw new Error(`${start.program} ${end.how} while starting`)
    }
    if (ready) {
      return
    }
    await systemClock.sleep(ASK_AGAIN_MS)
  }
  throw new Error(`${start.program} is not ready after ${within} ms`)
}

async function stop(pid: number, end: End): Promise<void> {
  if (end.how) {
    return
  }
  signalGroup(pid, 'SIGTERM')
  const force = systemClock.after(GRACE_MS, () => signalGroup(pid, 'SIGKILL'))
  await end.happened
  force.close()
}

/** Signals a process group that was started here; one that is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // Gone between the look and the signal: that is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error
    }
  }
}

async function lastLines(logFile: string, from: number): Promise<string> {
  const written = (await readFile(logFile)).subarray(from).toString()
  return written.trimEnd().split('\n').slice(-15).join('\n')
}
