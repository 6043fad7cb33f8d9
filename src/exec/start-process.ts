import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { revealed } from '#lib/secret.ts'
import { type ProgramCall, SEARCH_PATH } from './call.ts'
import type { CallContext } from './call-context.ts'
import { FOLDER_MISSING, PROGRAM_MISSING, PROGRAM_NOT_STARTED } from './errors.ts'
import { systemCode } from './file-error.ts'
import type { Exit } from './program-outcome.ts'
import type { TemporaryFiles } from './temporary-files.ts'

const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  git: 'git',
  docker: 'docker.io',
  nft: 'nftables',
  prlimit: 'util-linux',
}

/** One program about to be started. */
export interface Start {
  readonly call: ProgramCall<unknown>
  /** The call as one line, for messages. */
  readonly name: string
  /** The program's own. */
  readonly path: string
  readonly files: TemporaryFiles
  readonly context: CallContext
  readonly stop: AbortSignal
}

interface Started {
  readonly child: ChildProcess
  /** The leader of its own process group. */
  readonly pid: number
  readonly exited: Promise<Exit>
}

/** Where a program is. Throws PROGRAM_MISSING. */
export async function locate(program: string, searchPath: string): Promise<string> {
  if (program === 'node') {
    return process.execPath
  }
  for (const folder of searchPath.split(':')) {
    const path = join(folder, program)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  throw PROGRAM_MISSING(program, DEBIAN_PACKAGES[program] ?? program)
}

/** The program with its arguments, where the size of what it writes is limited behind the one that limits it. */
export async function limited({ call, path }: Pick<Start, 'call' | 'path'>): Promise<readonly string[]> {
  if (call.maxFileBytes === undefined) {
    return [path]
  }
  return [await locate('prlimit', SEARCH_PATH), `--fsize=${call.maxFileBytes}`, '--', path]
}

/** Starts these words, and after them the call's arguments, in a session of its own. Throws what keeps it from starting. */
export async function startProcess(
  start: Start,
  words: readonly string[],
  stdio: StdioOptions,
): Promise<Started> {
  const { call, name, files, stop } = start
  stop.throwIfAborted()
  const [program = '', ...before] = words
  const args = call.args.map(arg => files.fill(revealed(arg)))
  const env = Object.fromEntries(
    Object.entries(call.env).map(([key, value]) => [key, files.fill(revealed(value))]),
  )
  const options: SpawnOptions = {
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    env,
    shell: false,
    // Its own session and process group: a signal reaches everything that it starts.
    detached: true,
    stdio,
  }
  const child = spawned(name, () => spawn(program, [...before, ...args], options))
  const exited = exitOf(child)
  // Nobody waits for it until the process has its pid and outputs.
  exited.catch(() => {})
  if (child.pid === undefined) {
    throw await startError(start, await exited.catch(error => error))
  }
  return { child, pid: child.pid, exited }
}

function spawned(name: string, start: () => ChildProcess): ChildProcess {
  try {
    return start()
  } catch (error) {
    // The cause is left out: its message may quote an argument.
    throw PROGRAM_NOT_STARTED(name, systemCode(error) ?? 'bad argument')
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
}

/** Without the folder to start in, the system reports the program as missing. */
async function startError({ call, name }: Start, error: unknown): Promise<Error> {
  const folder = call.cwd === undefined ? undefined : await stat(call.cwd).catch(() => undefined)
  if (call.cwd !== undefined && !folder?.isDirectory()) {
    return FOLDER_MISSING(call.cwd)
  }
  return PROGRAM_NOT_STARTED(name, systemCode(error) ?? 'unknown reason')
}
