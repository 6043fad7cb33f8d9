import { existsSync } from 'node:fs'
import { type DetachedCall, SEARCH_PATH } from './call.ts'
import type { CallContext } from './call-context.ts'
import { withinLimits } from './deadline.ts'
import { PROGRAM_NOT_STARTED } from './errors.ts'
import { shown } from './shown.ts'
import { locate, startProcess } from './start-process.ts'

const LOOK_EVERY_MS = 20

/** Starts a program that goes on whatever becomes of this process, and waits until it says that it is at work. */
export async function startDetached<T>(call: DetachedCall<T>, context: CallContext): Promise<T> {
  const name = context.redactor.text(shown(call))
  const { clock, signal } = context
  return withinLimits({ call: name, timeoutMs: call.timeoutMs, clock, signal }, async stop => {
    const path = await locate(call.program, context.searchPath ?? SEARCH_PATH)
    const start = {
      call: { ...call, kind: 'program', read: () => undefined } as const,
      files: { fill: (text: string) => text, async [Symbol.asyncDispose]() {} },
      ...{ name, path, context, stop },
    }
    const { child, pid, exited } = await startProcess(start, [path], ['ignore', 'ignore', 'ignore'])
    child.unref()
    let ended: { readonly exitCode: number | null } | undefined
    exited.then(
      exit => {
        ended = exit
      },
      () => undefined,
    )
    while (!existsSync(call.readyFile)) {
      if (ended) {
        throw PROGRAM_NOT_STARTED(name, `it ended with exit code ${ended.exitCode}`)
      }
      stop.throwIfAborted()
      await clock.sleep(LOOK_EVERY_MS)
    }
    return call.read({ pid })
  })
}
