import type { WebSocket } from 'ws'
import type { Clock } from '#lib/clock.ts'
import { DEAD_AFTER_MS, PING_EVERY_MS, PROBE_MS } from './limits.ts'

export interface Heartbeat {
  /** Asks now; ends the socket when nothing comes back soon. */
  probe(): void
  close(): void
}

export interface HeartbeatOptions {
  readonly clock: Clock
  readonly pingEveryMs?: number
  readonly deadAfterMs?: number
  readonly probeMs?: number
}

/** Pings the other side and ends a socket that shows no life: a cut cable sends no goodbye. */
export function startHeartbeat(socket: WebSocket, options: HeartbeatOptions): Heartbeat {
  const { clock, pingEveryMs = PING_EVERY_MS, deadAfterMs = DEAD_AFTER_MS, probeMs = PROBE_MS } = options
  let heard = clock.monotonic()
  let count = 0n
  const alive = () => {
    heard = clock.monotonic()
  }
  socket.on('message', alive)
  socket.on('ping', alive)
  socket.on('pong', alive)
  const timer = clock.every(pingEveryMs, () => {
    if (clock.monotonic() - heard > deadAfterMs) {
      socket.terminate()
      return
    }
    ping()
  })

  function ping(): void {
    if (socket.readyState !== socket.OPEN) {
      return
    }
    const counter = Buffer.alloc(8)
    counter.writeBigUInt64BE(++count)
    socket.ping(counter)
  }

  return {
    probe() {
      const asked = clock.monotonic()
      ping()
      clock.after(probeMs, () => {
        if (heard < asked) {
          socket.terminate()
        }
      })
    },
    close: () => timer.close(),
  }
}
