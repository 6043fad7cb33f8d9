import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixedPartsOf, pathFits } from './path-pattern.ts'

const FITS = [
  ['compose.yaml', 'compose.yaml'],
  ['compose.yml', 'compose*.y*ml'],
  ['compose.prod.yaml', 'compose*.y*ml'],
  ['Dockerfile', 'Dockerfile*'],
  ['.fairlead/a.yaml', '.fairlead/*.yaml'],
  ['services/a/b.ts', 'services/**'],
  ['a.ipynb', '**/*.ipynb'],
  ['x/y/a.ipynb', '**/*.ipynb'],
  ['x/y/z', '**'],
  ['abc', 'a?c'],
  ['docker-compose-ü.yml', 'docker-compose-?.yml'],
] as const

const MISSES = [
  ['compose.yaml.bak', 'compose*.y*ml'],
  ['x/compose.yaml', 'compose*.y*ml'],
  ['Dockerfile/x', 'Dockerfile*'],
  ['.fairlead/x/a.yaml', '.fairlead/*.yaml'],
  ['a.yaml', '.fairlead/*.yaml'],
  ['a.txt', '**/*.ipynb'],
  ['ac', 'a?c'],
] as const

test('paths fit patterns part by part', () => {
  assert.deepEqual(
    FITS.filter(([path, pattern]) => !pathFits(path, pattern)),
    [],
  )
  assert.deepEqual(
    MISSES.filter(([path, pattern]) => pathFits(path, pattern)),
    [],
  )
})

test('a hostile name costs no exponential time', () => {
  assert.equal(pathFits('a'.repeat(4000), '*a*a*a*a*a*a*a*a*b'), false)
  assert.equal(pathFits('a/'.repeat(2000), '**/a/**/a/**/a/**/b'), false)
})

test('the fixed parts end before the first wildcard', () => {
  assert.deepEqual(fixedPartsOf('a/b/*.yaml'), ['a', 'b'])
  assert.deepEqual(fixedPartsOf('a/b'), ['a', 'b'])
  assert.deepEqual(fixedPartsOf('*'), [])
})
