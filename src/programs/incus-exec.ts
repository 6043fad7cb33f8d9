import type { EngineRequest } from '#exec/call.ts'
import { askIncus, type IncusReply, readReply } from './incus.ts'
import { pathOf } from './incus-instances.ts'

/** The shell that root has there, as at a login. */
const SHELL = ['su', '-l']
const ENVIRONMENT = { TERM: 'xterm-256color', HOME: '/root', USER: 'root', LANG: 'C.UTF-8' }

export type OpenedShell =
  | {
      readonly kind: 'begun'
      readonly operation: string
      /** Paths of its WebSockets. */
      readonly sockets: { readonly data: string; readonly control: string }
    }
  | { readonly kind: 'refused'; readonly reason: string }

const QUIETLY = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
}

export interface ProgramEnd {
  readonly exitCode: number
  /** Where Incus keeps what it printed: standard output and standard error. */
  readonly outputs: readonly string[]
}

/** Runs a program as root in a container; the operation that it begins ends with it. */
export function runProgram(
  socket: string,
  name: string,
  command: readonly string[],
): EngineRequest<IncusReply> {
  const how = { interactive: false, 'wait-for-websocket': false, 'record-output': true }
  const body = { command, environment: QUIETLY, ...how }
  return askIncus(socket, { method: 'POST', path: `${pathOf(name)}/exec`, body })
}

/** What such an operation left. */
export function programEnd(metadata: unknown): ProgramEnd {
  const { return: exitCode = -1, output = {} } = (metadata ?? {}) as {
    return?: number
    output?: Readonly<Record<string, string>> | null
  }
  return { exitCode, outputs: Object.values(output ?? {}) }
}

export function readOutput(socket: string, output: string): EngineRequest<string> {
  return {
    ...askIncus(socket, { method: 'GET', path: output }),
    read: ({ status, text }) => (status === 200 ? text : ''),
  }
}

/** What is kept there of programs that have ended; nothing where the daemon has no such list. */
export function listOutputs(socket: string, name: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: `${pathOf(name)}/logs/exec-output` }),
    read: ({ json }) => ((json ?? {}) as { metadata?: string[] | null }).metadata ?? [],
  }
}

/** Otherwise it stays in the container, and goes into its backups. */
export function forgetOutput(socket: string, output: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'DELETE', path: output })
}

/** Starts a shell on a terminal of its own; it waits for whoever connects. */
export function openShell(
  socket: string,
  name: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): EngineRequest<OpenedShell> {
  const body = {
    command: SHELL,
    environment: ENVIRONMENT,
    ...{ interactive: true, 'wait-for-websocket': true, width: columns, height: rows },
  }
  return {
    ...askIncus(socket, { method: 'POST', path: `${pathOf(name)}/exec`, body }),
    read: answer => {
      const reply = readReply(answer)
      if (reply.kind === 'refused') {
        return reply
      }
      const { fds = {} } = (reply.metadata as { metadata?: { fds?: Record<string, string> } })?.metadata ?? {}
      if (reply.kind === 'done' || fds[0] === undefined || fds.control === undefined) {
        return { kind: 'refused', reason: 'Incus gave no terminal' }
      }
      const { operation } = reply
      const at = (secret: string) => `${operation}/websocket?secret=${encodeURIComponent(secret)}`
      return { kind: 'begun', operation, sockets: { data: at(fds[0]), control: at(fds.control) } }
    },
  }
}
