import type { Socket } from 'node:net'

const sockets = new WeakSet<Socket>()

/** What comes over this socket is forwarded by another manager, which has proven that it is one. */
export function notePeerSocket(socket: Socket): void {
  sockets.add(socket)
}

export function isPeerSocket(socket: Socket): boolean {
  return sockets.has(socket)
}
