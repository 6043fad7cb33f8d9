import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Wish, wishOf } from './commit-actions.ts'

const WEB = { kind: 'stack', name: 'web' } as const
const IMAGE = { kind: 'image', name: 'web' } as const

/** What the words ask of the stack, and of the image. */
function acts(...words: string[]): [Wish['act'], Wish['act']] {
  return [wishOf(words, WEB).act, wishOf(words, IMAGE).act]
}

describe('R55 the words of a message', () => {
  test('ask of stacks and images what fits them', () => {
    const table = {
      'do-all': ['deploy', 'deploy'],
      'build-deploy-all': ['deploy', 'deploy'],
      'build-all': ['build', 'build'],
      'deploy-all': ['deploy', 'nothing'],
      'remove-all': ['remove', 'nothing'],
      'deploy-web': ['deploy', 'nothing'],
      'build-web': ['build', 'build'],
      'push-web': ['nothing', 'deploy'],
      'remove-web': ['remove', 'nothing'],
      'deploy-other': ['nothing', 'nothing'],
    }
    deepEqual(Object.fromEntries(Object.keys(table).map(word => [word, acts(word)])), table)
  })

  test('count by their strength: of the general ones the highest, and then none for a single app', () => {
    deepEqual(acts('remove-all', 'deploy-all', 'build-all', 'do-all'), ['deploy', 'deploy'])
    deepEqual(acts('remove-all', 'deploy-all', 'build-all'), ['build', 'build'])
    deepEqual(acts('remove-all', 'deploy-all'), ['deploy', 'nothing'])
    deepEqual(acts('remove-web', 'build-all', 'push-web'), ['build', 'build'])
  })

  test('for single apps are taken together', () => {
    deepEqual(acts('build-web', 'deploy-web', 'push-web'), ['deploy', 'deploy'])
    deepEqual(acts('remove-web', 'deploy-web'), ['deploy', 'nothing'])
    deepEqual(acts('remove-other', 'build-web'), ['build', 'build'])
  })

  test('mean the same in every order', () => {
    const words = ['dry-run', 'deploy-all', 'remove-all', 'build-web', 'push-web']
    for (const [index] of words.entries()) {
      const turned = [...words.slice(index), ...words.slice(0, index)]
      for (const app of [WEB, IMAGE]) {
        deepEqual(wishOf(turned, app), wishOf(words, app))
        deepEqual(wishOf(turned.toReversed(), app), wishOf(words, app))
      }
    }
  })

  test('"dry-run" goes with all of them, and alone leaves it to the changed files', () => {
    deepEqual(wishOf(['dry-run'], WEB), { dryRun: true, act: 'as-changed' })
    deepEqual(wishOf(['do-all', 'dry-run'], WEB), { dryRun: true, act: 'deploy' })
    equal(wishOf([], WEB).act, 'as-changed')
  })
})
