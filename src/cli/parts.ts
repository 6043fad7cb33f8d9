import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess } from './demo/background-process.ts'
import { PART_DID_NOT_START } from './errors.ts'

/** The manager or an agent as a process of its own on this machine. */
export interface Part {
  readonly pid: number
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

/** Starts a part and waits for its `<name>.listening` log line. Manager: Node's permission model without child processes. */
export async function startPart(options: PartOptions): Promise<Part> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const logFile = join(options.folder, `${options.name}.log`)
  const from = existsSync(logFile) ? statSync(logFile).size : 0
  let ready: Readonly<Record<string, unknown>> = {}
  const started = await startProcess({
    program: process.execPath,
    args: [...nodeFlags(options), entryOf(options.name), ...(options.arguments ?? [])],
    folder: options.folder,
    logFile,
    env: { NODE_COMPILE_CACHE: join(ROOT, '.cache/compile'), ...options.environment },
    readyWithinMs: START_MS,
    async ready() {
      const lines = readFileSync(logFile).subarray(from).toString('utf8').split('\n')
      const line = lines.find(text => text.includes(`"event":"${options.name}.listening"`))
      ready = line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>)
      return line !== undefined
    },
  })
  return { pid: started.pid, logFile, ready, close: () => started.close() }
}

/** Runs a part once for what it prints, for example its public identity. */
export async function askPart(options: PartOptions): Promise<string> {
  const child = spawn(process.execPath, [...nodeFlags(options), entryOf(options.name), ...(options.arguments ?? [])], {
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    complaint += text
  })
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  if (code !== 0) {
    throw PART_DID_NOT_START(options.name, complaint || out)
  }
  return out
}

/** Writes a file that only its owner may read; gives its path. */
export function writePrivateFile(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

function entryOf(name: PartOptions['name']): string {
  return join(ROOT, 'src', name, 'main.ts')
}

function nodeFlags({ name, folder, environment, readable = [] }: PartOptions): string[] {
  if (name !== 'manager') {
    return []
  }
  const data = environment.FAIRLEAD_DATA ?? folder
  return [
    '--permission',
    '--allow-net',
    ...[ROOT, data, ...readable].map(path => `--allow-fs-read=${path}`),
    ...[data, join(ROOT, '.cache')].map(path => `--allow-fs-write=${path}`),
  ]
}
