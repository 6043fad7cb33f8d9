import type { Secret } from '#lib/secret.ts'
import type { Call, Engine } from './call.ts'

/** What this host shows to an engine behind TLS, and whom it believes. Only exec/ ever has it: no call of a command carries a key. */
export interface EngineTls {
  /** PEM of the authority that signed the engine's certificate. */
  readonly ca: string
  readonly cert: string
  readonly key: Secret
  /** Folder with ca.pem, cert.pem and key.pem, for the docker CLI. */
  readonly folder: string
}

/** By address, such as tcp://10.0.0.5:2376. */
export type RemoteEngines = ReadonlyMap<string, EngineTls>

/** The address of an engine that is not reached through a socket of this machine. */
export function isRemote(socket: string): boolean {
  return socket.startsWith('tcp://')
}

/** The call with what its engine wants to see, when that is behind TLS; else the call itself. */
export function equipped<T>(call: Call<T>, engines: RemoteEngines | undefined): Call<T> {
  switch (call.kind) {
    case 'request':
      return call.engine.kind === 'docker' && isRemote(call.engine.socket)
        ? { ...call, engine: equippedEngine(call.engine, engines) }
        : call
    case 'image-build':
      return isRemote(call.socket) ? { ...call, tls: tlsOf(call.socket, engines) } : call
    case 'program': {
      const host = call.env.DOCKER_HOST
      return typeof host === 'string' && isRemote(host)
        ? {
            ...call,
            env: { ...call.env, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: tlsOf(host, engines).folder },
          }
        : call
    }
    case 'detached':
    case 'file':
    case 'lookup':
    case 'greeting':
    case 'terminal':
    case 'archive':
      return call
  }
}

function equippedEngine(engine: Engine & { kind: 'docker' }, engines: RemoteEngines | undefined): Engine {
  return { ...engine, tls: tlsOf(engine.socket, engines) }
}

function tlsOf(address: string, engines: RemoteEngines | undefined): EngineTls {
  const found = engines?.get(address)
  if (!found) {
    throw new Error(`nothing is known of the engine at ${address}`)
  }
  return found
}
