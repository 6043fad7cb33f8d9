import { mkdirSync, readFileSync } from 'node:fs'
import type { Clock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import type { Pin, PublicIdentity, Role } from '#link/public-identity.ts'
import { UNREADABLE_IDENTITY_FILE } from './errors.ts'
import { peersIn } from './peers.ts'

/** Who an agent is and where its files are. */
export interface AgentPlace {
  readonly data: string
  readonly name: string
}

/** Makes the identity of this agent if there is none, and gives what the manager pins. */
export function init(
  { data, name }: AgentPlace,
  { role, clock }: { role: Role; clock: Clock },
): PublicIdentity {
  return publicIdentity(loadOrCreateIdentity({ folder: data, clock, name, role }))
}

/** Pins the manager whose public identity is in a file. A running agent takes it over by itself. */
export function trust({ data }: AgentPlace, file: string): Pin {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  return peersIn(data).trust(readIdentityFile(file))
}

/** Takes a manager's trust away for good, also while the agent runs. */
export function revoke({ data }: AgentPlace, keyId: string): void {
  peersIn(data).revoke(keyId)
}

function readIdentityFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const why =
      error instanceof SyntaxError
        ? 'it is not JSON'
        : ((error as NodeJS.ErrnoException).code ?? 'unreadable')
    throw UNREADABLE_IDENTITY_FILE(file, why)
  }
}
