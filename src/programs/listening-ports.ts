import type { FileCall } from '#exec/call.ts'

/** Of the kernel, one line for each socket. Below /proc/self: a unit with ProcSubset=pid has no /proc/net. */
export const SOCKET_TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const
const LISTEN = '0A'
const MOST_BYTES = 1_000_000

/** The TCP ports on which anything listens, of one of the tables; none where there is no such table. */
export function listeningPorts(path: (typeof SOCKET_TABLES)[number]): FileCall<ReadonlySet<number>> {
  return {
    kind: 'file',
    operation: 'read',
    path,
    maxBytes: MOST_BYTES,
    read: ({ text = '' }) => new Set(text.split('\n').flatMap(portOf)),
  }
}

/** `  0: 0100007F:1F90 00000000:0000 0A …`: local address and port, the other end, the state. */
function portOf(line: string): number[] {
  const [, local, , state] = line.trim().split(/\s+/)
  const port = local?.split(':')[1]
  return state === LISTEN && port !== undefined ? [Number.parseInt(port, 16)] : []
}
