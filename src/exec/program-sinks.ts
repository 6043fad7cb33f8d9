import type { ProgramCall } from './call.ts'
import type { CallContext } from './call-context.ts'
import { createCapture, createLiveOutput, createTail, type Kept, type Sink } from './output.ts'
import type { Ended, Exit } from './program-outcome.ts'

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024
const TAIL_BYTES = 64 * 1024

export type OutputWish = Pick<ProgramCall<unknown>, 'show' | 'maxOutputBytes' | 'keep' | 'encoding'>

/** Where both outputs of a program go: what is kept of them, and what is shown. */
export interface ProgramSinks {
  readonly stdout: Sink
  readonly stderr: Sink
  /** What was kept, with how it ended. Throws what went wrong while its output was taken. */
  readonly ended: (exit: Exit) => Ended
}

/** What goes wrong while output is taken, or too much of it, must not end the worker: it ends the program. */
export function programSinks(
  wish: OutputWish,
  { redactor, say }: Pick<CallContext, 'redactor' | 'say'>,
  end: () => void,
): ProgramSinks {
  const limit = wish.maxOutputBytes ?? MAX_OUTPUT_BYTES
  const stdout = wish.keep === 'tail' ? createTail(TAIL_BYTES) : createCapture(limit, end, wish.encoding)
  const stderr = createTail(TAIL_BYTES)
  let broken: { readonly reason: unknown } | undefined
  function guarded(kept: Sink, stream: 'stdout' | 'stderr'): Sink {
    const isShown = wish.show === stream || wish.show === 'both'
    const targets = isShown ? [kept, createLiveOutput(redactor, line => say(line, stream))] : [kept]
    function each(use: (sink: Sink) => void): void {
      try {
        targets.forEach(use)
      } catch (reason) {
        broken ??= { reason }
        end()
      }
    }
    return { write: chunk => each(sink => sink.write(chunk)), end: () => each(sink => sink.end()) }
  }
  return {
    stdout: guarded(stdout, 'stdout'),
    stderr: guarded(stderr, 'stderr'),
    ended({ exitCode, signal }) {
      if (broken) {
        throw broken.reason
      }
      const overLimit = wish.keep !== 'tail' && stdout.total() > limit ? limit : undefined
      return { exitCode, signal, stdout: stdout.text(), stderr: wholeLines(stderr), overLimit }
    },
  }
}

/** Without the first line if it was cut: half a secret would not be recognised. */
function wholeLines(tail: Kept): string {
  const text = tail.text()
  return tail.total() > TAIL_BYTES ? text.slice(text.indexOf('\n') + 1) : text
}
