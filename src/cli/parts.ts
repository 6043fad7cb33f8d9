import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { startProcess } from './demo/background-process.ts'
import { PART_DID_NOT_START } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import type { Session } from './session.ts'

/** The manager or an agent as a process of its own on this machine. */
export interface Part {
  readonly pid: number
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
  readonly logFile: string
  /** Fields of the log line that said it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

export interface PartOptions {
  readonly name: 'manager' | 'worker'
  /** Folder for its log. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly arguments?: readonly string[]
  /** Extra folders that the manager may read. */
  readonly readable?: readonly string[]
}

const ROOT = join(import.meta.dirname, '../..')
const START_MS = 20_000
const NODE_ENVIRONMENT = {
  NODE_COMPILE_CACHE: join(ROOT, '.cache/compile'),
  // One heap of the C library instead of one per thread.
  MALLOC_ARENA_MAX: '1',
} as const

/** Starts a part and waits for its `<name>.listening` log line. Manager: Node's permission model without child processes. */
export async function startPart(options: PartOptions): Promise<Part> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const logFile = join(options.folder, `${options.name}.log`)
  const from = existsSync(logFile) ? statSync(logFile).size : 0
  let ready: Readonly<Record<string, unknown>> = {}
  const started = await startProcess({
    ...partCommandLine(options),
    folder: options.folder,
    logFile,
    readyWithinMs: START_MS,
    async ready() {
      const lines = readFileSync(logFile).subarray(from).toString('utf8').split('\n')
      const line = lines.find(text => text.includes(`"event":"${options.name}.listening"`))
      ready = line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>)
      return line !== undefined
    },
  })
  return { pid: started.pid, ended: started.ended, logFile, ready, close: () => started.close() }
}

/** Runs a part once for what it prints, for example its public identity. */
export async function askPart(options: PartOptions): Promise<string> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const child = spawn(process.execPath, commandLine(options), {
    cwd: options.folder,
    env: { ...NODE_ENVIRONMENT, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exitCodeOf(child),
  ])
  if (code !== 0) {
    throw PART_DID_NOT_START(options.name, (complaint || out).trim())
  }
  return out
}

/** Runs a part in the foreground until it ends or the session is interrupted; gives its exit code. */
export async function runPart(
  session: Session,
  name: PartOptions['name'],
  words: readonly string[],
): Promise<number> {
  const { environment } = session.config
  const files = Object.entries(environment).filter(
    ([key]) => key.startsWith('FAIRLEAD_') && key.endsWith('_FILE'),
  )
  const folder = environment.FAIRLEAD_DATA ?? '.fairlead/manager'
  if (name === 'manager') {
    // The permission model knows only paths that are there.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  const options = {
    name,
    folder,
    environment,
    arguments: words,
    readable: files.map(([, file]) => file),
  }
  const child = spawn(process.execPath, commandLine(options), {
    env: { ...NODE_ENVIRONMENT, ...environment },
    stdio: 'inherit',
  })
  session.signal.addEventListener('abort', () => child.kill('SIGTERM'))
  return (await exitCodeOf(child)) ?? EXIT.failed
}

/** Writes a file that only its owner may read; gives its path. */
export function writePrivateFile(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

/** How a part is started: program, arguments and environment. */
export function partCommandLine(options: PartOptions): {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
} {
  const env = { ...NODE_ENVIRONMENT, ...options.environment }
  return { program: process.execPath, args: commandLine(options), env }
}

function commandLine(options: PartOptions): string[] {
  const entry = join(ROOT, 'src', options.name, 'main.ts')
  return [...nodeFlags(options), entry, ...(options.arguments ?? [])]
}

function nodeFlags({ name, folder, environment, readable = [] }: PartOptions): string[] {
  // A small young generation: these processes idle most of their time.
  const memory = ['--max-semi-space-size=1']
  if (name !== 'manager') {
    return memory
  }
  const data = resolve(environment.FAIRLEAD_DATA ?? folder)
  const tokenFile = environment.FAIRLEAD_ADMIN_TOKEN_FILE
  const written = [data, join(ROOT, '.cache'), ...(tokenFile ? [resolve(tokenFile)] : [])]
  return [
    ...memory,
    '--disable-warning=ExperimentalWarning',
    '--permission',
    '--allow-net',
    ...[ROOT, data, ...readable].map(path => `--allow-fs-read=${path}`),
    ...written.map(path => `--allow-fs-write=${path}`),
  ]
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return await new Promise(done => child.once('close', done))
}
