import type { Redactor } from '#lib/redact.ts'
import { type BuildStatus, decodeStatus, type Vertex } from './buildkit-progress.ts'
import type { Say } from './call-context.ts'
import { cut } from './cut.ts'
import { createLiveOutput, type Sink } from './output.ts'

/** So many lines of a failed step are kept for its error. */
const LAST_LINES = 40

/** What a build's progress says so far, told as lines while it comes. */
export interface BuildLog {
  /** Takes the bytes of one StatusResponse. */
  take(message: Buffer): void
  /** Tells what was held back. */
  end(): void
  /** The step that failed with its last lines, redacted. */
  failure(): { readonly step: string; readonly lines: readonly string[] }
}

interface Step {
  readonly number: number
  readonly name: string
  readonly outputs: Map<string, Sink>
  readonly lastLines: string[]
  readonly doneTasks: Set<string>
  state: 'running' | 'ended'
}

/** Lines as `docker build` prints them: `#3 [2/4] RUN make`, `#3 what make prints`, `#3 done in 0.5s`. */
export function createBuildLog(redactor: Redactor, say: Say): BuildLog {
  const steps = new Map<string, Step>()
  let failed: Step | undefined

  function take(message: Buffer): void {
    const { vertexes, tasks, logs }: BuildStatus = decodeStatus(message)
    // A step's lines come before its end, also when both arrive in one message.
    for (const vertex of vertexes) {
      begin(vertex)
    }
    for (const { vertex, stream, bytes } of logs) {
      const step = steps.get(vertex)
      if (step) {
        outputOf(step, stream).write(bytes)
      }
    }
    for (const { id, vertex, completed } of tasks) {
      const step = steps.get(vertex)
      if (step && completed !== undefined && !step.doneTasks.has(id)) {
        step.doneTasks.add(id)
        tell(step, `${id} done`)
      }
    }
    for (const vertex of vertexes) {
      finish(vertex)
    }
  }

  function begin({ digest, name, started, cached }: Vertex): void {
    if ((started === undefined && !cached) || steps.has(digest)) {
      return
    }
    const step: Step = {
      number: steps.size + 1,
      name: cut(redactor.text(name), 1_000),
      outputs: new Map(),
      lastLines: [],
      doneTasks: new Set(),
      state: 'running',
    }
    steps.set(digest, step)
    tell(step, step.name)
  }

  function finish(vertex: Vertex): void {
    const step = steps.get(vertex.digest)
    if (step?.state !== 'running' || (vertex.completed === undefined && vertex.error === '')) {
      return
    }
    endOutputs(step)
    step.state = 'ended'
    tell(step, howItEnded(vertex))
    if (vertex.error === '') {
      step.lastLines.length = 0
    } else {
      // Steps that ran beside the failed one are reported as failed too, cancelled: the first to fail is the cause.
      failed ??= step
    }
  }

  function howItEnded({ error, cached, started, completed }: Vertex): string {
    if (error !== '') {
      return `ERROR ${cut(redactor.text(error), 2_000)}`
    }
    return cached ? 'CACHED' : `done in ${(((completed ?? 0) - (started ?? 0)) / 1000).toFixed(1)}s`
  }

  function outputOf(step: Step, stream: 'stdout' | 'stderr'): Sink {
    let output = step.outputs.get(stream)
    if (!output) {
      output = createLiveOutput(redactor, line => {
        step.lastLines.push(line)
        if (step.lastLines.length > LAST_LINES) {
          step.lastLines.shift()
        }
        tell(step, line, stream)
      })
      step.outputs.set(stream, output)
    }
    return output
  }

  function endOutputs(step: Step): void {
    for (const output of step.outputs.values()) {
      output.end()
    }
    step.outputs.clear()
  }

  function tell(step: Step, text: string, stream: 'stdout' | 'stderr' | 'info' = 'info'): void {
    for (const line of text.split('\n')) {
      say(`#${step.number} ${line}`, stream)
    }
  }

  return {
    take,
    end: () => steps.forEach(endOutputs),
    failure() {
      return { step: failed?.name ?? 'the start', lines: failed?.lastLines ?? [] }
    },
  }
}
