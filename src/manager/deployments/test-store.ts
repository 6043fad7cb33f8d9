import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { NO_OUTBOX } from '#manager/outbox/test-outbox.ts'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'
import { createEvents } from './events.ts'
import type { DeploymentsContext } from './request.ts'

/** A real store in a folder of its own, for tests. */
export interface TestStore extends DeploymentsContext {
  readonly folder: string
  close(): Promise<void>
}

export async function openTestStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-store-'))
  const store = await openTestDatabase(folder, systemClock.now)
  return {
    db: store.db,
    clock: systemClock,
    events: createEvents(systemClock.now),
    outbox: NO_OUTBOX,
    folder,
    async close() {
      await store.close()
      leaveTestDatabase(folder)
      await rm(folder, { recursive: true, maxRetries: 5 })
    },
  }
}

/** An app of a repository of its own; gives the app's id. */
export async function addApp({ db }: TestStore, name: string, target = 'container'): Promise<string> {
  const repository = newId()
  await db
    .insertInto('repositories')
    .values({
      id: repository,
      name,
      url: `https://git.example/${name}.git`,
      branch: 'main',
      host: 'local',
      poll_seconds: 300,
      auto_apps: 0,
      poll_failures: 0,
      version: 1,
      created_at: 1,
      updated_at: 1,
    })
    .execute()
  const id = newId()
  await db
    .insertInto('apps')
    .values({
      id,
      name,
      repository_id: repository,
      entry: name,
      target,
      overrides: '{}',
      host: 'local',
      version: 1,
      created_at: 1,
      updated_at: 1,
    })
    .execute()
  return id
}
