/** When trying again may help: never (a person must act), later (a backoff), or after a known time. */
export type Retry = 'never' | 'later' | { readonly afterSeconds: number }

/** One thing that is wrong in an input: where it stands, what is wrong, what was expected. */
export interface Problem {
  readonly path: string
  readonly message: string
  readonly expected?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface ErrorDefinition<Args extends unknown[]> {
  readonly code: string
  readonly status: number
  readonly retry: Retry
  readonly message: (...args: Args) => string
  /** What to do next, as a sentence for the person who reads it. */
  readonly hint: (...args: Args) => string
}

/** An error of the catalogue: call it to make one, compare with `matches`. */
export interface ErrorKind<Args extends unknown[]> {
  (...args: Args): FairleadError
  readonly definition: ErrorDefinition<Args>
  matches(error: unknown): error is FairleadError
}

interface ErrorDetails {
  readonly problems?: readonly Problem[] | undefined
  readonly facts?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

/** The shape in which an error crosses a wire (agent frames, REST, the database). */
export interface WireError extends Omit<ErrorDetails, 'cause'> {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly retry: Retry
  readonly status: number
}

/** Every error that Fairlead raises on purpose: it carries the decision (retry) and the way out (hint). */
export class FairleadError extends Error {
  readonly code: string
  readonly status: number
  readonly retry: Retry
  readonly hint: string
  readonly problems: readonly Problem[] | undefined
  readonly facts: Readonly<Record<string, unknown>> | undefined

  constructor(wire: WireError, cause?: unknown) {
    super(wire.message, cause === undefined ? undefined : { cause })
    this.name = 'FairleadError'
    this.code = wire.code
    this.status = wire.status
    this.retry = wire.retry
    this.hint = wire.hint
    this.problems = wire.problems
    this.facts = wire.facts
  }

  /** The same error with problems, facts or a cause added. */
  with(details: ErrorDetails): FairleadError {
    return new FairleadError({ ...toWire(this), ...details }, details.cause ?? this.cause)
  }

  /** The same error, when it is known how long to wait before trying again. */
  after(seconds: number): FairleadError {
    return new FairleadError({ ...toWire(this), retry: { afterSeconds: seconds } }, this.cause)
  }
}

/** Adds an error to the catalogue. Keep definitions in files called errors.ts: docs/errors.md is made from them. */
export function defineError<Args extends unknown[]>(definition: ErrorDefinition<Args>): ErrorKind<Args> {
  const kind = (...args: Args) =>
    new FairleadError({
      code: definition.code,
      status: definition.status,
      retry: definition.retry,
      message: definition.message(...args),
      hint: definition.hint(...args),
    })
  return Object.assign(kind, {
    definition,
    matches: (error: unknown): error is FairleadError =>
      error instanceof FairleadError && error.code === definition.code,
  })
}

export const INTERNAL = defineError({
  code: 'INTERNAL',
  status: 500,
  retry: 'later',
  message: (what: string) => `Something failed inside Fairlead: ${what}`,
  hint: () => 'This is a defect of Fairlead. Look at the log of the part that failed and report it.',
})

/** Any thrown value as a FairleadError; what is not ours becomes INTERNAL with the original as its cause. */
export function asFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) {
    return error
  }
  const message = error instanceof Error ? error.message : String(error)
  return INTERNAL(message).with({ cause: error })
}

export function toWire(error: FairleadError): WireError {
  return {
    code: error.code,
    message: error.message,
    hint: error.hint,
    retry: error.retry,
    status: error.status,
    ...(error.problems ? { problems: error.problems } : {}),
    ...(error.facts ? { facts: error.facts } : {}),
  }
}
