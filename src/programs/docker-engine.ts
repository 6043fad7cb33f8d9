import type { Engine, EngineAnswer } from '#exec/call.ts'

/** Calls that only read or change the engine's own records answer in milliseconds; a hung engine must not hold a deployment. */
export const QUICK_MS = 20_000
/** Starting, stopping and removing wait for the kernel, the network and a disk. */
export const SLOW_MS = 120_000

export function dockerEngine(socket: string): Engine {
  return { kind: 'docker', socket }
}

/** The same for the docker CLI. */
export function dockerHost(socket: string): string {
  return socket.startsWith('tcp://') ? socket : `unix://${socket}`
}

/** What the engine says in an answer that is not a success. */
export function engineMessage(answer: EngineAnswer): string {
  const { message } = (answer.json ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : answer.text.slice(0, 2_000)
}

/** The engine takes filters as JSON in the query. */
export function filters(wanted: Readonly<Record<string, readonly string[]>>): string {
  return JSON.stringify(wanted)
}
