import { revealed } from '#lib/secret.ts'
import { type ProgramCall, SEARCH_PATH } from './call.ts'
import type { CallContext } from './call-context.ts'
import { cut } from './cut.ts'
import { withinLimits } from './deadline.ts'
import { holdGroup } from './held-group.ts'
import type { Sink } from './output.ts'
import { type Ended, outcomeOf } from './program-outcome.ts'
import { programSinks } from './program-sinks.ts'
import { runOutliving } from './run-outliving.ts'
import { shown } from './shown.ts'
import { limited, locate, type Start, startProcess } from './start-process.ts'
import { writeTemporaryFiles } from './temporary-files.ts'

/** How long a pipe may stay open that a process outside of the group still holds. */
const DRAIN_MS = 1_000

/** Performs a program call and gives what its read() makes of the output; every process it started is gone then. */
export async function run<T>(call: ProgramCall<T>, context: CallContext): Promise<T> {
  const name = cut(context.redactor.text(shown(call)), 300)
  const { clock, signal } = context
  return withinLimits({ call: name, timeoutMs: call.timeoutMs, clock, signal }, async stop => {
    const started = clock.monotonic()
    const ended = context.outliving?.take(call.outlives) ?? (await perform({ call, name, context, stop }))
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

async function perform(asked: Omit<Start, 'path' | 'files'>): Promise<Ended> {
  const { call, context, stop } = asked
  const path = await locate(call.program, context.searchPath ?? SEARCH_PATH)
  await using files = await writeTemporaryFiles(call.files ?? [], context.temporary)
  stop.throwIfAborted()
  const start = { ...asked, path, files }
  const { outliving, temporary } = context
  return outliving && temporary !== undefined && call.outlives !== undefined
    ? await runOutliving(start, { ...outliving, temporary, what: call.outlives })
    : await runPiped(start)
}

async function runPiped(start: Start): Promise<Ended> {
  const { call, context, stop } = start
  const stdin = call.input === undefined ? 'ignore' : 'pipe'
  const { child, pid, exited } = await startProcess(start, await limited(start), [stdin, 'pipe', 'pipe'])
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  using group = holdGroup({ pid, program: call.program, context, stop })
  const sinks = programSinks(call, context, group.end)
  connect(child.stdout, sinks.stdout)
  connect(child.stderr, sinks.stderr)
  child.stdin?.on('error', () => {}).end(call.input === undefined ? '' : revealed(call.input))
  const exit = await exited
  await group.gone()
  const timer = context.clock.after(DRAIN_MS, () => {
    child.stdout?.destroy()
    child.stderr?.destroy()
  })
  await closed
  timer.close()
  return sinks.ended(exit)
}

function connect(output: NodeJS.ReadableStream | null, sink: Sink): void {
  output?.on('data', (chunk: Buffer) => sink.write(chunk))
  output?.on('close', () => sink.end())
  output?.on('error', () => {})
}
