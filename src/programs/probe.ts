import type { EngineRequest } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'

export interface Probe {
  readonly ip: string
  readonly port: number
  readonly path: string
  readonly timeoutMs: number
  /** Of a notebook server, as its proxy sends it. */
  readonly token?: Secret
}

/** Asks a container itself, past the proxy. Any status is an answer. */
export function probeContainer(probe: Probe): EngineRequest<{ readonly status: number }> {
  return {
    kind: 'request',
    engine: { kind: 'http', origin: `http://${probe.ip}:${probe.port}`, keepAlive: false },
    method: 'GET',
    path: probe.path,
    headers: {
      'user-agent': 'fairlead-health',
      ...(probe.token ? { authorization: new Secret(`token ${probe.token.reveal()}`) } : {}),
    },
    timeoutMs: probe.timeoutMs,
    ok: 'any',
    read: answer => ({ status: answer.status }),
  }
}
