import { mkdirSync, readFileSync } from 'node:fs'
import { peersIn } from '#agent/peers.ts'
import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import type { Pin, PublicIdentity } from '#link/public-identity.ts'
import type { WorkerConfig } from './config.ts'
import { UNREADABLE_IDENTITY_FILE } from './errors.ts'

/** Makes the identity of this worker if there is none, and gives what the manager pins. */
export function init(config: WorkerConfig, clock: Clock): PublicIdentity {
  return publicIdentity(
    loadOrCreateIdentity({ folder: config.data, clock, name: config.name, role: 'worker' }),
  )
}

/** Pins the manager whose public identity is in a file. A running worker takes it over by itself. */
export function trust(config: WorkerConfig, file: string): Pin {
  mkdirSync(config.data, { recursive: true, mode: 0o700 })
  return peersIn(config.data).trust(readIdentityFile(file))
}

/** Takes a manager's trust away for good, also while the worker runs. */
export function revoke(config: WorkerConfig, keyId: string): void {
  peersIn(config.data).revoke(keyId)
}

function readIdentityFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const why =
      error instanceof SyntaxError
        ? 'it is not JSON'
        : ((error as NodeJS.ErrnoException).code ?? 'unreadable')
    throw error instanceof FairleadError ? error : UNREADABLE_IDENTITY_FILE(file, why)
  }
}
