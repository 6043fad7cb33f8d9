import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { compose } from './compose.ts'
import { anInput } from './test-compose.ts'

const DB = `docker.io/library/pg@sha256:${'7'.repeat(64)}`

function planned(changes: object = {}, settings: object = {}) {
  const input = anInput({ released: true })
  return compose.plan({ ...input, settings: { ...input.settings, ...settings }, ...changes } as never)
}

test('a tag that moved makes its service anew, with that image and no other change', () => {
  const before = planned()
  equal(before.nothingToDo, true)
  const plan = planned({ moved: { db: DB } })
  equal(plan.nothingToDo, false)
  deepEqual(plan.apply[0]?.data.pins, { db: DB })
  const changes = plan.changes.filter(({ kind }) => kind !== 'untouched')
  deepEqual(
    changes.filter(({ what }) => what === 'db').map(({ kind, to }) => [kind, to]),
    [
      ['recreate', undefined],
      ['image', DB],
    ],
  )
})

test('only images that are not built are followed, and a release says so for the manager to read', () => {
  const plan = planned({}, { follow_images: '5m' })
  // Nothing is touched; the new release is what the manager reads.
  equal(
    plan.changes.every(({ kind }) => kind === 'untouched'),
    true,
    JSON.stringify(plan.changes),
  )
  const { followed } = plan.release as { followed?: { everyMs: number; tags: object } }
  deepEqual(followed, { everyMs: 300_000, tags: { db: 'pg:16' } })
  const release = { id: 'r', commit: 'c', configHash: 'h', content: { followed, pinned: { db: DB } } }
  deepEqual(compose.follows?.(release), {
    everyMs: 300_000,
    images: [{ name: 'db', reference: 'pg:16', pinned: DB }],
  })
  equal(compose.follows?.({ ...release, content: { pinned: { db: DB } } }), undefined)
})
