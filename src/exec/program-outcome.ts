import { stripVTControlCharacters } from 'node:util'
import { FairleadError } from '#lib/errors.ts'
import type { Redactor } from '#lib/redact.ts'
import type { ProgramCall, ProgramOutput } from './call.ts'
import { cut } from './cut.ts'
import { CALL_CANCELLED, CALL_TIMED_OUT, OUTPUT_TOO_LARGE, PROGRAM_FAILED } from './errors.ts'

export interface Exit {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** How a process ended and what it wrote. */
export interface Ended extends Exit {
  readonly stdout: string
  readonly stderr: string
  /** The limit of standard output, when there was more. */
  readonly overLimit: number | undefined
}

interface Circumstances {
  readonly call: Pick<ProgramCall<unknown>, 'program' | 'args' | 'okCodes'>
  readonly name: string
  readonly ended: Ended
  readonly durationMs: number
  readonly stop: AbortSignal
  readonly redactor: Redactor
}

/** What read() gets, or the error with all facts, redacted. */
export function outcomeOf(circumstances: Circumstances): ProgramOutput | FairleadError {
  const { call, name, ended, stop } = circumstances
  if (stop.aborted && stop.reason instanceof FairleadError) {
    return stop.reason.with({ facts: factsOf(circumstances) })
  }
  if (ended.overLimit !== undefined) {
    return OUTPUT_TOO_LARGE(name, ended.overLimit).with({ facts: factsOf(circumstances) })
  }
  if (ended.exitCode === null || !(call.okCodes ?? [0]).includes(ended.exitCode)) {
    const how = ended.exitCode === null ? `signal ${ended.signal}` : `exit code ${ended.exitCode}`
    const why = tellingLine(circumstances.redactor.text(ended.stderr))
    return PROGRAM_FAILED(name, how, why).with({ facts: factsOf(circumstances) })
  }
  return { exitCode: ended.exitCode, stdout: ended.stdout, stderr: ended.stderr }
}

function factsOf({ call, ended, durationMs, stop, redactor }: Circumstances): Record<string, unknown> {
  return {
    program: call.program,
    args: call.args.map(arg => redactor.text(String(arg))),
    exitCode: ended.exitCode,
    signal: ended.signal,
    timedOut: CALL_TIMED_OUT.matches(stop.reason),
    cancelled: CALL_CANCELLED.matches(stop.reason),
    durationMs,
    stderr: redactor.text(ended.stderr),
  }
}

/** The line of an error output that says most: the last one that calls itself an error, otherwise the last. */
function tellingLine(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split(/[\r\n]+/)
    .map(line => line.replace(/\p{Cc}+/gu, ' ').trim())
    .filter(line => line !== '')
  const line = lines.findLast(each => /^(?:fatal|error)\b/i.test(each)) ?? lines.at(-1) ?? ''
  return cut(line, 500)
}
