import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { finishDeployment } from './finish.ts'
import { readDeployment } from './queries.ts'
import { requestDeployment } from './request.ts'
import { addApp, openTestStore } from './test-store.ts'

const BY_PERSON = { kind: 'api', by: 'ada' } as const

for (const [state, outcome] of [
  ['succeeded', 'deployed'],
  ['failed', 'failed'],
] as const) {
  test(`R54 a deployment for which an app made room ends as ${state} while a person has that app removed`, async () => {
    const store = await openTestStore()
    const [old, next] = [await addApp(store, 'a', 'stack'), await addApp(store, 'a2', 'stack')]
    await store.db.updateTable('apps').set({ by_files: 'stack' }).execute()
    const first = await requestDeployment(store, { appId: old, kind: 'deploy', trigger: BY_PERSON })
    await finishDeployment(store, first, { state: 'succeeded', outcome: 'deployed' })
    const release = { id: 'r', app_id: old, deployment_id: first.id, commit: 'c', config_hash: '' }
    await store.db
      .insertInto('releases')
      .values({ ...release, content: '{}', created_at: 1 })
      .execute()
    const atWork = await requestDeployment(store, { appId: next, kind: 'deploy', trigger: BY_PERSON })
    await store.db.insertInto('made_room').values({ deployment_id: atWork.id, app_id: old }).execute()
    const removal = await requestDeployment(store, { appId: old, kind: 'remove', trigger: BY_PERSON })
    await finishDeployment(store, atWork, { state, outcome })
    const { state: ended } = await readDeployment(store.db, atWork.id)
    const left = await store.db
      .selectFrom('deployments')
      .select('id')
      .where('app_id', '=', old)
      .where('state', '=', 'queued')
      .execute()
    deepEqual([ended, left.map(({ id }) => id)], [state, [removal.id]])
    await store.close()
  })
}
