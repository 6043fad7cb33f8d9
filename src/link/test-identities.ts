import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Clock, systemClock } from '#lib/clock.ts'
import { type Identity, loadOrCreateIdentity, publicIdentity } from './identity.ts'
import { type Pin, pinOf, type Role } from './public-identity.ts'

export const DAY = 24 * 3600 * 1000

/** A folder that is gone after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An identity that is gone after the test. With a clock that is off, its certificate is off, too. */
export function anIdentity(t: TestContext, role: Role, clock: Clock = systemClock): Identity {
  return loadOrCreateIdentity({ folder: temporaryFolder(t), clock, name: `a-${role}`, role })
}

export function pinFor(identity: Identity): Pin {
  return pinOf(publicIdentity(identity))
}

/** The system's clock, off by so many ms. */
export function clockOffBy(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms }
}
