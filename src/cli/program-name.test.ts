import { equal } from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { asCalled, programName } from './program-name.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'fairlead-name-'))
after(() => rmSync(folder, { recursive: true }))

test('a program that is not on the search path is named by the path that leads to it from here', () => {
  equal(programName({ PATH: '/usr/bin:/bin' }, ROOT), 'bin/fairlead')
  equal(programName({ PATH: '/usr/bin:/bin' }, join(ROOT, 'bin')), './fairlead')
  equal(programName({}, '/'), join(ROOT, 'bin/fairlead').slice(1))
  equal(programName({ PATH: '/bin' }, folder), join(ROOT, 'bin/fairlead'))
})

test('one that is on the search path needs no path, another one of that name does not count', () => {
  const names = ['linked', 'installed', 'foreign'] as const
  const [linked, installed, foreign] = names.map(name => join(folder, name)) as [string, string, string]
  mkdirSync(linked)
  mkdirSync(installed)
  symlinkSync(join(ROOT, 'deploy/fairlead'), join(installed, 'fairlead'))
  symlinkSync(join(ROOT, 'bin/fairlead'), join(linked, 'fairlead'))
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'fairlead'), '#!/bin/sh\n')
  chmodSync(join(foreign, 'fairlead'), 0o755)
  equal(programName({ PATH: `/bin:${linked}` }, ROOT), 'fairlead')
  equal(programName({ PATH: installed }, ROOT), 'fairlead')
  equal(programName({ PATH: `${foreign}:${linked}` }, ROOT), 'bin/fairlead')
})

test('hints name the program as it was called, and nothing else is changed in them', () => {
  const program = programName({ PATH: '/bin', npm_command: 'exec' }, ROOT)
  equal(program, 'npx fairlead')
  equal(asCalled('Try "fairlead up" or "fairlead".', program), 'Try "npx fairlead up" or "npx fairlead".')
  equal(
    asCalled('a "fairleader", fairlead.yaml, fairlead', program),
    'a "fairleader", fairlead.yaml, fairlead',
  )
})
