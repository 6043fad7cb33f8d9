import type { ClientOptions, ServerOptions } from 'ws'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '#contract/agent-frames.ts'
import { AUTH_DEADLINE_MS } from './limits.ts'

/** No compression (memory, and secrets beside attacker text), few fragments, bounded buffers. */
const BOUNDS = {
  maxPayload: MAX_FRAME_BYTES,
  perMessageDeflate: false,
  maxFragments: 64,
  maxBufferedChunks: 1024,
  maxPendingAutoPongs: 60,
  closeTimeout: 5_000,
} as const

export const SERVER_SOCKET: ServerOptions = {
  ...BOUNDS,
  noServer: true,
  clientTracking: false,
  handleProtocols: offered => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
}

export const CLIENT_SOCKET: ClientOptions = {
  ...BOUNDS,
  followRedirects: false,
  handshakeTimeout: AUTH_DEADLINE_MS,
}

/** A close reason fits in 123 bytes. */
export function closeReason(text: string): string {
  return Buffer.from(text)
    .subarray(0, 120)
    .toString()
    .replace(/\uFFFD+$/, '')
}
