import type { Secret } from '#lib/secret.ts'
import type { ArchiveCall } from './archive-call.ts'
import type { FileCall, LookupCall } from './file-calls.ts'
import type { GreetingCall } from './greeting-call.ts'
import type { PackedLayer, SentLayer } from './packed-layer.ts'
import type { EngineTls } from './remote-engines.ts'
import type { TerminalCall } from './terminal-call.ts'

export type { BringArchive, KeepArchive, KeptFile } from './archive-call.ts'
export type { FileCall, FileResult, LookupCall, LookupResult } from './file-calls.ts'
export type { PackedLayer, SentLayer } from './packed-layer.ts'
export type { Partner } from './terminal-call.ts'

/**
 * A call is one effect on the host, as data: a program start, a request to a local engine API, an image build,
 * a file operation. Programs and commands only make calls; exec/ performs them. So every effect is listed here,
 * and a test can record them.
 */
export type Call<T> =
  | ProgramCall<T>
  | DetachedCall<T>
  | EngineRequest<T>
  | ImageBuildCall<T>
  | FileCall<T>
  | LookupCall<T>
  | GreetingCall<T>
  | TerminalCall<T>
  | ArchiveCall<T>

/** Performs one call. Given to commands; the real one is exec/perform.ts, the double is exec/recorder.ts. */
export type Perform = <T>(call: Call<T>) => Promise<T>

/** `node` is the one that runs this. */
export const PROGRAMS = ['git', 'docker', 'node', 'nft'] as const
export type Program = (typeof PROGRAMS)[number]

/** Where programs are looked for, and what a call's PATH should be: fixed, so that nobody's environment decides what runs. */
export const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The timeout of a call that may take as long as the command that makes it: that one's deadline ends it. */
export const AS_LONG_AS_COMMAND_MS = 24 * 3_600_000

/** One start of one external program. Never a shell. Only exec/run.ts turns it into a process. */
export interface ProgramCall<T> {
  readonly kind: 'program'
  readonly program: Program
  /** `{file:NAME}` in an argument or environment value becomes the path of that temporary file, `{file:.}` their folder. */
  readonly args: readonly (string | Secret)[]
  readonly cwd?: string
  /** The complete environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string | Secret>>
  readonly input?: string | Secret
  /** Written with mode 0600 (0700 when executable) before the start, removed afterwards. */
  readonly files?: readonly TemporaryFile[]
  readonly timeoutMs: number
  /** Exit codes that are no error; default [0]. */
  readonly okCodes?: readonly number[]
  /** Which output is shown live in the deployment's log; default none. */
  readonly show?: 'stdout' | 'stderr' | 'both' | 'none'
  /** Standard output kept for read(); more is an error. Default 8 MiB. */
  readonly maxOutputBytes?: number
  /** How bytes become the text that read() gets; default utf8. */
  readonly encoding?: 'utf8' | 'base64'
  /** `tail` keeps only the last 64 KiB of standard output, however much there is: for a build whose log is shown. Default `all`. */
  readonly keep?: 'all' | 'tail'
  /** No file that the program writes may grow beyond this (RLIMIT_FSIZE, through prlimit). Default: no limit. */
  readonly maxFileBytes?: number
  /**
   * It goes on when its worker is killed, and the next worker takes it up (docs/decisions/0013). What it does, in words
   * that are the same whenever its command is done again. Such a program gets no input. Default: it ends with its worker.
   */
  readonly outlives?: string
  readonly read: (output: ProgramOutput) => T
}

/** A program that goes on by itself: nobody waits for its end, and nobody's end is its own. It has no input and no output. */
export interface DetachedCall<T> extends Pick<ProgramCall<T>, 'program' | 'args' | 'env' | 'timeoutMs'> {
  readonly kind: 'detached'
  /** Absolute path of the file that it makes when it is at work: then the call has ended. */
  readonly readyFile: string
  readonly read: (started: { readonly pid: number }) => T
}

export interface TemporaryFile {
  readonly name: string
  readonly content: string | Secret
  readonly executable?: boolean
}

export interface ProgramOutput {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Where an engine API listens. */
export type Engine =
  | {
      readonly kind: 'docker'
      /** Path of a socket, or tcp://host:port. */
      readonly socket: string
      /** Put there by exec/ itself (remote-engines.ts). */
      readonly tls?: EngineTls
    }
  | {
      readonly kind: 'incus'
      /** Path of its socket. */
      readonly socket: string
    }
  | {
      readonly kind: 'http'
      /** Only scheme, host and port, e.g. https://127.0.0.1:5000 */
      readonly origin: string
      /** PEM of the only certificate authority trusted for this origin; default: the system's. */
      readonly ca?: string
      readonly username?: string
      readonly password?: Secret
      /** false opens a fresh connection per request (Caddy's admin API hangs up idle ones). Default true. */
      readonly keepAlive?: boolean
    }

/** One HTTP request to a local engine API (Docker, registry, Caddy) or a probe of a workload. */
export interface EngineRequest<T> {
  readonly kind: 'request'
  readonly engine: Engine
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown
  readonly timeoutMs: number
  /** Sent in place of a body. */
  readonly layer?: PackedLayer
  /** Statuses that read() accepts; any other is an ENGINE_REFUSED error. `any` hands all to read(). */
  readonly ok: readonly number[] | 'any'
  /** A POST that only asks: sent twice it is the same as once, so it may go over a kept connection as a GET does. */
  readonly looksOnly?: true
  /**
   * Answer as a stream of JSON objects (one per line): each goes to onEvent, which may throw to end the request.
   * `docker-log` demultiplexes Docker's log frames into lines; `tar` gives the regular files that are wanted.
   */
  readonly stream?: AnswerFormat & { readonly onEvent: (event: StreamEvent) => void }
  readonly read: (answer: EngineAnswer) => T
}

type AnswerFormat =
  | { readonly format: 'json-lines' | 'docker-log' }
  | { readonly format: 'tar'; readonly isWanted: (path: string) => boolean }

export type StreamEvent =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'line'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** The path has no slash in front. */
  | { readonly kind: 'file'; readonly path: string; readonly text: string }

export interface EngineAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly trailers: Readonly<Record<string, string | undefined>>
  /** Empty for streams. At most 16 MiB. */
  readonly text: string
  /** Parsed text, undefined when it is not JSON. */
  readonly json: unknown
  /** When a layer was sent, and all of it was. */
  readonly sent?: SentLayer
}

/** One BuildKit build through the Docker API: context from a folder, live output to the log. */
export interface ImageBuildCall<T> {
  readonly kind: 'image-build'
  /** Path of a socket, or tcp://host:port. */
  readonly socket: string
  /** Put there by exec/ itself (remote-engines.ts). */
  readonly tls?: EngineTls
  /** Absolute path of the context folder; `.dockerignore` there is honoured, `.git` never sent. Or exactly these files. */
  readonly context: string | readonly PackedFile[]
  /** Of all files, when they are given; default: 1970. */
  readonly modifiedMs?: number
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string
  readonly target?: string
  readonly args: Readonly<Record<string, string>>
  /** For RUN --mount=type=secret; never in the image or its history. */
  readonly secrets: Readonly<Record<string, Secret>>
  readonly tags: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Credentials for private base images by registry host. */
  readonly registries: Readonly<Record<string, { readonly username: string; readonly password: Secret }>>
  readonly timeoutMs: number
  readonly read: (built: { readonly imageId: string }) => T
}

/** A file of a build context or of a layer: a text, a file of the host (never what a link leads to), or a link. */
export type PackedFile = { readonly path: string } & (
  | { readonly text: string; readonly isProgram?: boolean }
  | {
      /** Absolute path. */
      readonly from: string
      readonly isProgram?: boolean
    }
  | { readonly link: string }
)
