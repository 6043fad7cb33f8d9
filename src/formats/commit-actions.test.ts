import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { actionsIn } from './commit-actions.ts'

test('R55 the words in brackets of a message are found wherever they stand, each once', () => {
  const message =
    'Mend it [deploy-my_shop]\n\nNow [dry-run] and\n[build-deploy-all][do-all] [dry-run] [push-a.b]'
  deepEqual(actionsIn(message), ['deploy-my_shop', 'dry-run', 'build-deploy-all', 'do-all', 'push-a.b'])
})

test('R55 other words in brackets ask for nothing, and neither does a commit that takes one back', () => {
  deepEqual(actionsIn('[WIP] [deploy] [skip ci] [deploy-] [Deploy-web] deploy-all [drop-web]'), [])
  deepEqual(actionsIn('Revert "Away with it [remove-all]"\n\nThis reverts commit 1.'), [])
})
