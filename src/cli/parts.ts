import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { type Setting, settingsOf } from '#lib/settings.ts'
import { startProcess } from './demo/background-process.ts'
import { EXIT } from './exit-codes.ts'
import { partEnvironment } from './part-environment.ts'
import { DATA_UNWRITABLE } from './part-errors.ts'
import { partFailure } from './part-failure.ts'
import { programOf } from './part-program.ts'
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

export type PartName = 'manager' | 'worker' | 'guardian'

export interface PartOptions {
  readonly name: PartName
  /** Everything that is kept on this machine; the part has a folder of its name in it, also for its log. */
  readonly data: string
  /** Of which it gets its own settings. Paths are absolute. */
  readonly environment: Readonly<Record<string, string>>
  readonly arguments?: readonly string[]
  /** Outside of its folder, for this one run: a file or folder is read, everything in a folder may be written. */
  readonly paths?: { readonly read: readonly string[]; readonly written: readonly string[] }
  /** Whom it runs as, when root asks: nothing of root's may be reached through links in somebody else's folder. */
  readonly owner?: Owner
  /** Open files that it gets, from number 3 on. */
  readonly descriptors?: readonly number[]
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Where it and what it needs are found: npm puts the packages of an installed package beside it. */
const MODULES = basename(dirname(PACKAGE_ROOT)) === 'node_modules' ? dirname(PACKAGE_ROOT) : PACKAGE_ROOT
const START_MS = 20_000

/** Starts a part and waits until its log says that it listens, be it as a manager that stands by. Manager: Node's permission model without child processes. */
export async function startPart(options: PartOptions): Promise<Part> {
  const folder = makeFolderOf(options)
  const logFile = join(folder, `${options.name}.log`)
  const from = existsSync(logFile) ? statSync(logFile).size : 0
  let ready: Readonly<Record<string, unknown>> = {}
  const started = await startProcess({
    ...partCommandLine(options),
    folder,
    logFile,
    readyWithinMs: START_MS,
    async ready() {
      const lines = readFileSync(logFile).subarray(from).toString('utf8').split('\n')
      const line = lines.find(text => isListening(text, options.name))
      ready = line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>)
      return line !== undefined
    },
  }).catch(error => {
    throw partFailure(options.name, String((error as Error).message))
  })
  return { pid: started.pid, ended: started.ended, logFile, ready, close: () => started.close() }
}

function isListening(line: string, name: PartName): boolean {
  return ['listening', 'standby'].some(word => line.includes(`"event":"${name}.${word}"`))
}

/** Runs a part once for what it prints, for example its public identity. It gets the input whole. */
export async function askPart(options: PartOptions, input = ''): Promise<string> {
  const folder = makeFolderOf(options)
  const { program, args, env } = partCommandLine(options)
  const child = spawn(program, args, {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
    ...options.owner,
  }) as ChildProcessWithoutNullStreams
  // One that ends before it has read everything says why.
  child.stdin.on('error', () => undefined).end(input)
  const [out, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exitCodeOf(child),
  ])
  if (code !== 0) {
    throw partFailure(options.name, complaint || out)
  }
  return out
}

/** Runs a part in the foreground until it ends or the session is interrupted; gives its exit code. */
export async function runPart(session: Session, name: PartName, words: readonly string[]): Promise<number> {
  const { environment, dataFolder } = session.config
  const options = { name, data: dataFolder, environment, arguments: words }
  makeFolderOf(options)
  const { program, args, env } = partCommandLine(options)
  const child = spawn(program, args, { env, stdio: 'inherit' })
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

/** Who owns the folder of the parts, when root asks and it is somebody else's. */
export function ownerOf(data: string): Owner | undefined {
  const found = process.geteuid?.() === 0 ? lstatSync(data, { throwIfNoEntry: false }) : undefined
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
}

/** How a part is started: program, arguments and environment. */
export function partCommandLine(options: PartOptions): {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
} {
  const { name, data, environment } = options
  const env = {
    NODE_COMPILE_CACHE: compiledFolder(name),
    // One heap of the C library instead of one per thread.
    MALLOC_ARENA_MAX: '1',
    ...partEnvironment(name, environment),
    FAIRLEAD_DATA: data,
  }
  return {
    program: process.execPath,
    args: [...nodeFlags(options), programOf(name), ...(options.arguments ?? [])],
    env,
  }
}

/** Made by the caller, because the permission model knows only paths that are there. */
function makeFolderOf(part: PartOptions): string {
  const folder = folderOf(part)
  try {
    as(part.owner, () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      accessSync(folder, constants.W_OK)
    })
  } catch (error) {
    throw DATA_UNWRITABLE(part.name, folder, (error as Error).message).with({ cause: error })
  }
  return folder
}

function as<T>(owner: Owner | undefined, work: () => T): T {
  if (owner === undefined) {
    return work()
  }
  process.setegid?.(owner.gid)
  process.seteuid?.(owner.uid)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

function folderOf({ name, data }: PartOptions): string {
  return join(data, name)
}

/** Compiled code of this part alone: what the manager may write, the worker must never run. */
function compiledFolder(name: PartName): string {
  return join(PACKAGE_ROOT, '.cache/compiled', name)
}

/** Where nothing may be written, nothing is kept. */
function makeCompiledFolder(name: PartName): string {
  const folder = compiledFolder(name)
  try {
    mkdirSync(folder, { recursive: true })
  } catch {
    // Somebody else's checkout: the start takes a little longer.
  }
  return folder
}

function nodeFlags(part: PartOptions): string[] {
  // What work leaves is returned when it has ended (docs/decisions/0080): only who hardly works is told to stay small.
  if (part.name === 'guardian') {
    return ['--max-semi-space-size=1', '--optimize-for-size']
  }
  // Room for what a deployment or a burst of webhooks leaves, which else takes a fifth of its time to collect.
  const young = '--max-semi-space-size=4'
  if (part.name === 'worker') {
    return [young]
  }
  const folder = folderOf(part)
  const compiled = makeCompiledFolder(part.name)
  const named = namedPaths(part)
  const { read = [], written = [] } = part.paths ?? {}
  return [
    young,
    '--disable-warning=ExperimentalWarning',
    '--permission',
    '--allow-net',
    ...outermost([MODULES, folder, ...named.read, ...read]).map(path => `--allow-fs-read=${path}`),
    ...outermost([folder, compiled, ...named.written, ...written]).map(path => `--allow-fs-write=${path}`),
  ]
}

/** Node refuses a folder that is given together with one inside of it. */
function outermost(paths: readonly string[]): readonly string[] {
  return paths.filter(path => !paths.some(other => path.startsWith(`${other}/`)))
}

/** Files outside of its folder that the settings of a part name. */
function namedPaths({ name, environment }: PartOptions): { read: string[]; written: string[] } {
  const given = (setting: Setting) =>
    environment[setting.name] === undefined ? [] : [environment[setting.name] ?? '']
  const paths = settingsOf(name).filter(
    setting => setting.value === 'path' && setting.name !== 'FAIRLEAD_DATA',
  )
  const isWritten = (setting: Setting) => setting.name === 'FAIRLEAD_ADMIN_TOKEN_FILE'
  return {
    read: paths.filter(setting => !isWritten(setting)).flatMap(given),
    written: paths.filter(isWritten).flatMap(given),
  }
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return await new Promise(done => child.once('close', done))
}
