import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const KNOWN = ['target', 'port', 'ports', 'routes', 'memory', 'environment', 'verify']

for (const [word, meant] of [
  ['tagret', 'target'],
  ['Target', 'target'],
  ['prot', 'port'],
  ['route', 'routes'],
  ['enviroment', 'environment'],
  ['memry', 'memory'],
  ['verfy', 'verify'],
] as const) {
  test(`"${word}" was meant to be "${meant}"`, () => equal(nearest(word, KNOWN), meant))
}

for (const word of ['', 'x', 'volumes', 'po', 'a'.repeat(10_000)]) {
  test(`"${word.slice(0, 10)}" resembles nothing`, () => equal(nearest(word, KNOWN), undefined))
}
