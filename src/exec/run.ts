import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { revealed } from '#lib/secret.ts'
import { type ProgramCall, SEARCH_PATH } from './call.ts'
import type { CallContext } from './call-context.ts'
import { cut } from './cut.ts'
import { withinLimits } from './deadline.ts'
import { FOLDER_MISSING, PROGRAM_MISSING, PROGRAM_NOT_STARTED } from './errors.ts'
import { systemCode } from './file-error.ts'
import { markGroup } from './leftovers.ts'
import { createCapture, createLiveOutput, createTail, type Kept, type Sink } from './output.ts'
import { endGroup, groupGone } from './process-group.ts'
import { type Ended, outcomeOf } from './program-outcome.ts'
import { shown } from './shown.ts'
import { type TemporaryFiles, writeTemporaryFiles } from './temporary-files.ts'

const GRACE_MS = 5_000
/** A program that ended may leave helpers which are just about to end as well. */
const LINGER_MS = 500
/** How long a pipe may stay open that a process outside of the group still holds. */
const DRAIN_MS = 1_000
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024
const TAIL_BYTES = 64 * 1024

const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  git: 'git',
  docker: 'docker.io',
  prlimit: 'util-linux',
}

/** Performs a program call and gives what its read() makes of the output; every process it started is gone then. */
export async function run<T>(call: ProgramCall<T>, context: CallContext): Promise<T> {
  const name = cut(context.redactor.text(shown(call)), 300)
  const { clock, signal } = context
  return withinLimits({ call: name, timeoutMs: call.timeoutMs, clock, signal }, async stop => {
    const paths = await pathsFor(call, context.searchPath ?? SEARCH_PATH)
    await using files = await writeTemporaryFiles(call.files ?? [], context.temporary)
    stop.throwIfAborted()
    const started = clock.monotonic()
    const ended = await runProcess({ call, name, paths, files, context, stop })
    const durationMs = Math.round(clock.monotonic() - started)
    const outcome = outcomeOf({ call, name, ended, durationMs, stop, redactor: context.redactor })
    context.log?.info('program.ended', {
      program: call.program,
      ok: !(outcome instanceof Error),
      exit_code: ended.exitCode,
      duration_ms: durationMs,
    })
    if (outcome instanceof Error) {
      throw outcome
    }
    return call.read(outcome)
  })
}

interface ProgramPaths {
  readonly program: string
  /** Present when the size of the files that it writes is limited. */
  readonly prlimit: string | undefined
}

async function pathsFor(call: ProgramCall<unknown>, searchPath: string): Promise<ProgramPaths> {
  return {
    program: await locate(call.program, searchPath),
    prlimit: call.maxFileBytes === undefined ? undefined : await locate('prlimit', SEARCH_PATH),
  }
}

async function locate(program: string, searchPath: string): Promise<string> {
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

interface Start {
  readonly call: ProgramCall<unknown>
  readonly name: string
  readonly paths: ProgramPaths
  readonly files: TemporaryFiles
  readonly context: CallContext
  readonly stop: AbortSignal
}

async function runProcess(start: Start): Promise<Ended> {
  const { call, context, stop } = start
  const { clock } = context
  const child = startProcess(start)
  const exited = exitOf(child)
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  // Nobody waits for these two until the process has its pid and outputs.
  exited.catch(() => {})
  if (child.pid === undefined) {
    throw await startError(start, await exited.catch(error => error))
  }

  const group = { group: child.pid, clock, graceMs: context.graceMs ?? GRACE_MS }
  using _mark = markGroup(group.group, context.temporary)
  let ending: Promise<unknown> | undefined
  const end = () => {
    ending ??= endGroup(group).then(left => {
      if (left === 'stays') {
        context.log?.warn('program.stays', { program: call.program, pid: group.group })
      }
    })
  }
  const limit = call.maxOutputBytes ?? MAX_OUTPUT_BYTES
  const stdout = call.keep === 'tail' ? createTail(TAIL_BYTES) : createCapture(limit, end)
  const stderr = createTail(TAIL_BYTES)
  let broken: { readonly reason: unknown } | undefined
  const onBroken = (reason: unknown) => {
    broken ??= { reason }
    end()
  }
  connect(child.stdout, sinks(stdout, 'stdout', start), onBroken)
  connect(child.stderr, sinks(stderr, 'stderr', start), onBroken)
  child.stdin?.on('error', () => {}).end(call.input === undefined ? '' : revealed(call.input))

  stop.addEventListener('abort', end, { once: true })
  const exit = await exited
  if ((await groupGone({ ...group, graceMs: LINGER_MS })) === 'stays') {
    end()
  }
  await ending
  stop.removeEventListener('abort', end)
  const timer = clock.after(DRAIN_MS, () => {
    child.stdout?.destroy()
    child.stderr?.destroy()
  })
  await closed
  timer.close()
  if (broken) {
    throw broken.reason
  }
  const overLimit = call.keep !== 'tail' && stdout.total() > limit ? limit : undefined
  return { ...exit, stdout: stdout.text(), stderr: wholeLines(stderr), overLimit }
}

function startProcess({ call, name, paths, files, stop }: Start): ChildProcess {
  stop.throwIfAborted()
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
    stdio: [call.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  }
  try {
    return paths.prlimit
      ? spawn(paths.prlimit, [`--fsize=${call.maxFileBytes}`, '--', paths.program, ...args], options)
      : spawn(paths.program, args, options)
  } catch (error) {
    // The cause is left out: its message may quote an argument.
    throw PROGRAM_NOT_STARTED(name, systemCode(error) ?? 'bad argument')
  }
}

function exitOf(child: ChildProcess): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
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

function sinks(kept: Sink, stream: 'stdout' | 'stderr', { call, context }: Start): Sink[] {
  if (call.show !== stream && call.show !== 'both') {
    return [kept]
  }
  return [kept, createLiveOutput(context.redactor, line => context.say(line, stream))]
}

/** What goes wrong while a line is taken must not end the worker: it ends the program. */
function connect(
  output: ChildProcess['stdout'],
  targets: readonly Sink[],
  onError: (error: unknown) => void,
): void {
  function each(use: (sink: Sink) => void): void {
    try {
      targets.forEach(use)
    } catch (error) {
      onError(error)
    }
  }
  output?.on('data', (chunk: Buffer) => each(sink => sink.write(chunk)))
  output?.on('close', () => each(sink => sink.end()))
  output?.on('error', () => {})
}

/** Without the first line if it was cut: half a secret would not be recognised. */
function wholeLines(tail: Kept): string {
  const text = tail.text()
  return tail.total() > TAIL_BYTES ? text.slice(text.indexOf('\n') + 1) : text
}
