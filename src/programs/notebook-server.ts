import type { EngineRequest } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'

/** Where a notebook server is asked, past the proxy. */
export interface AskedServer {
  readonly ip: string
  readonly port: number
  /** Path that it is asked below: `/`, or `/nb/churn/`. */
  readonly base: string
  readonly token: Secret
  readonly timeoutMs: number
}

export interface ServerStatus {
  /** Browsers and programs that are connected to kernels. */
  readonly connections: number
  readonly kernels: number
  /** Of the last work, in milliseconds since 1970. */
  readonly lastAt: number
}

/** How a notebook server does; undefined from one that only shows, and cannot say. To ask does not count as work there. */
export function notebookStatus(server: AskedServer): EngineRequest<ServerStatus | undefined> {
  return ask(server, 'api/status', json => {
    if (json === undefined) {
      return undefined
    }
    const said = json as { connections?: number; kernels?: number; last_activity?: string }
    const { connections = 0, kernels = 0 } = said
    return { connections, kernels, lastAt: Date.parse(said.last_activity ?? '') }
  })
}

/** Whether a kernel computes, also for somebody who has closed their browser. */
export function isAnyKernelBusy(server: AskedServer): EngineRequest<boolean> {
  return ask(server, 'api/kernels', json =>
    ((json ?? []) as { execution_state?: string }[]).some(kernel => kernel.execution_state === 'busy'),
  )
}

function ask<T>(
  { ip, port, base, token, timeoutMs }: AskedServer,
  path: string,
  read: (json: unknown) => T,
): EngineRequest<T> {
  return {
    kind: 'request',
    engine: { kind: 'http', origin: `http://${ip}:${port}`, keepAlive: false },
    method: 'GET',
    path: `${base}${path}`,
    query: { no_track_activity: '1' },
    headers: { Authorization: new Secret(`token ${token.reveal()}`) },
    timeoutMs,
    // Voila with one notebook leads every other path to it.
    ok: [200, 302, 404],
    read: answer => read(answer.status === 200 ? answer.json : undefined),
  }
}
