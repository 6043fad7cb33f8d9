import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { explainBuild } from './notebook-explain.ts'
import type { Ready } from './notebook-look.ts'

function placesOf(inputs: readonly string[], texts: Readonly<Record<string, string>>) {
  const ready = {
    ...{ recipe: { inputs }, planned: { project: { folder: 'a' } } },
    source: { texts: { text: (path: string) => texts[path] } },
  } as unknown as Ready
  const facts = { log: ['ERROR: No matching distribution found for numpyy'] }
  const failed = { code: 'BUILD_FAILED', status: 422, message: 'It failed.', hint: '', facts } as const
  const told = explainBuild(new FairleadError({ ...failed, retry: 'never' }), ready)
  return told instanceof FairleadError ? told.problems?.map(({ file, line }) => `${file}:${line}`) : undefined
}

test('what an installer does not find is told with the line that asks for it, also of a part of a file', () => {
  const project = '[project]\ndependencies = [\n  "six",\n  "numpyy>=1",\n]\n'
  const description = 'Package: a\nImports:\n    numpyy\n'
  deepEqual(placesOf(['requirements.txt'], { 'a/requirements.txt': 'six\nnumpyy\n' }), [
    'a/requirements.txt:2',
  ])
  deepEqual(placesOf(['pyproject.toml#dependencies'], { 'a/pyproject.toml': project }), [
    'a/pyproject.toml:4',
  ])
  deepEqual(placesOf(['DESCRIPTION#Imports'], { 'a/DESCRIPTION': description }), ['a/DESCRIPTION:3'])
  deepEqual(placesOf(['setup.cfg#install_requires'], { 'a/setup.cfg': 'numpyy\n' }), ['a/setup.cfg:1'])
  deepEqual(placesOf(['pyproject.toml#dependencies'], {}), ['undefined:undefined'])
})
