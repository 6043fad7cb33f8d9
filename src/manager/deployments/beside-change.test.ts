import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBesideChange } from './beside-change.ts'

const changed = { repositoryId: 'notebooks', first: 1 }
const same = { repositoryId: 'notebooks', first: 0 }

test('P7 of the projects that a push did not change one at a time is looked at while one that it changed is at work', () => {
  assert.equal(isBesideChange(same, [changed]), false)
  assert.equal(isBesideChange(same, [changed, same]), true)
  assert.equal(isBesideChange(changed, [changed, same]), false)
  assert.equal(isBesideChange(same, [same, same]), false, 'nobody waits for a change')
  assert.equal(isBesideChange({ ...same, repositoryId: 'shop' }, [changed, same]), false)
  const unowned = { repositoryId: null, first: 0 }
  assert.equal(isBesideChange(unowned, [{ ...unowned, first: 1 }, unowned]), false)
})
