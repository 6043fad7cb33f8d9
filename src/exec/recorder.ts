import { createRedactor } from '#lib/redact.ts'
import type { ArchiveCall } from './archive-call.ts'
import type {
  Call,
  EngineAnswer,
  EngineRequest,
  FileResult,
  LookupResult,
  Perform,
  ProgramCall,
  ProgramOutput,
  StreamEvent,
} from './call.ts'
import { ENGINE_REFUSED } from './errors.ts'
import { outcomeOf } from './program-outcome.ts'
import { shown } from './shown.ts'

/** What a recorded call gets: the fields of its kind, anything left out is empty. */
export interface Answer
  extends Partial<ProgramOutput>,
    Partial<Omit<EngineAnswer, 'text'>>,
    Partial<FileResult>,
    Partial<LookupResult> {
  /** Handed to the stream of a request before its end. */
  readonly events?: readonly StreamEvent[]
  readonly imageId?: string
  /** The call fails with it. */
  readonly error?: Error
}

/** A call it answers: how its readable form begins, or a question. */
type When = string | ((call: Call<unknown>) => boolean)
/** A list answers one call after the other; its last entry stays. */
type Gives = Answer | readonly Answer[] | ((call: Call<unknown>) => Answer)

export type Answers = readonly (readonly [When, Gives])[]

export interface Recorder {
  readonly perform: Perform
  /** Every call so far in its readable form: `git fetch origin`, `POST docker /containers/create`. */
  readonly shown: readonly string[]
  readonly calls: readonly Call<unknown>[]
}

/** The double of exec: writes calls down and answers them from a table, the first entry that fits; others are an error. */
export function createRecorder(answers: Answers = []): Recorder {
  const calls: Call<unknown>[] = []
  const lines: string[] = []
  const left = answers.map(([when, gives]) => ({ when, gives: isList(gives) ? [...gives] : gives }))

  function answerTo(call: Call<unknown>): Answer {
    const line = shown(call)
    const found = left.find(({ when }) => (typeof when === 'string' ? line.startsWith(when) : when(call)))
    if (!found) {
      throw new Error(`The recorder has no answer to: ${line}`)
    }
    const { gives } = found
    if (typeof gives === 'function') {
      return gives(call)
    }
    if (!isList(gives)) {
      return gives
    }
    return (gives.length > 1 ? (gives as Answer[]).shift() : gives[0]) ?? {}
  }

  return {
    calls,
    shown: lines,
    async perform(call) {
      calls.push(call as Call<unknown>)
      lines.push(shown(call as Call<unknown>))
      const answer = answerTo(call as Call<unknown>)
      if (answer.error) {
        throw answer.error
      }
      return resultOf(call, answer)
    },
  }
}

/** The call's own read() of the answer, or the error that the real thing would throw. */
function resultOf<T>(call: Call<T>, answer: Answer): T {
  switch (call.kind) {
    case 'program':
      return call.read(outputOf(call, answer))
    case 'detached':
      return call.read({ pid: 0 })
    case 'request':
      return call.read(engineAnswerOf(call, answer))
    case 'image-build':
      return call.read({ imageId: answer.imageId ?? `sha256:${'0'.repeat(64)}` })
    case 'file':
      return call.read({ missing: false, ...answer })
    case 'lookup':
      return call.read({ addresses: [], ...answer })
    case 'greeting':
      return call.read(answer.text ?? '')
    case 'terminal':
      return call.read('program')
    case 'archive':
      return readArchive(call, answer)
  }
}

function readArchive<T>(call: ArchiveCall<T>, answer: Answer): T {
  switch (call.operation) {
    case 'keep':
      return call.read({ bytes: answer.bytes ?? 0, sha256: '0'.repeat(64) })
    case 'bring':
      return call.read({ status: 200, headers: {}, trailers: {}, text: '', json: undefined, ...answer })
    case 'forget':
    case 'send':
      return call.read(undefined)
    case 'take':
      return call.read({ bytes: call.bytes, sha256: call.sha256 })
  }
}

function outputOf(call: ProgramCall<unknown>, answer: Answer): ProgramOutput {
  const { exitCode = 0, stdout = '', stderr = '' } = answer
  const outcome = outcomeOf({
    call,
    name: shown(call),
    ended: { exitCode, signal: null, stdout, stderr, overLimit: undefined },
    durationMs: 0,
    stop: new AbortController().signal,
    redactor: createRedactor(),
  })
  if (outcome instanceof Error) {
    throw outcome
  }
  return outcome
}

function engineAnswerOf(call: EngineRequest<unknown>, answer: Answer): EngineAnswer {
  const status = answer.status ?? (call.ok === 'any' ? 200 : (call.ok[0] ?? 200))
  const text = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json))
  if (call.ok !== 'any' && !call.ok.includes(status)) {
    const said = (answer.json as { message?: string } | undefined)?.message ?? text
    const name = shown(call)
    throw ENGINE_REFUSED(name, status, said).with({ facts: { request: name, status, said } })
  }
  for (const event of answer.events ?? []) {
    call.stream?.onEvent(event)
  }
  const { headers = {}, trailers = {}, sent } = answer
  return { status, headers, trailers, text, json: answer.json ?? parsed(text), ...(sent ? { sent } : {}) }
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function isList(gives: Gives): gives is readonly Answer[] {
  return Array.isArray(gives)
}
