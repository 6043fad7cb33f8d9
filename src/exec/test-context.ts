import { systemClock } from '#lib/clock.ts'
import { createRedactor } from '#lib/redact.ts'
import type { CallContext } from './call-context.ts'

export interface TestContext extends CallContext {
  /** What was said, as `stream: text`. */
  readonly said: string[]
  readonly cancel: (reason?: unknown) => void
}

/** A context for tests of this folder: real time, a short grace, everything said is kept. */
export function createTestContext(changes: Partial<CallContext> = {}): TestContext {
  const said: string[] = []
  const controller = new AbortController()
  return {
    clock: systemClock,
    say: (text, stream) => said.push(`${stream}: ${text}`),
    signal: controller.signal,
    redactor: createRedactor(),
    graceMs: 300,
    said,
    cancel: reason => controller.abort(reason),
    ...changes,
  }
}
