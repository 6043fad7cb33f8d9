import { equal } from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { programName } from './program-name.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'fairlead-name-'))
after(() => rmSync(folder, { recursive: true }))

test('a program that is not on the search path is named by the path that leads to it from here', () => {
  equal(programName('/usr/bin:/bin', ROOT), 'bin/fairlead')
  equal(programName('/usr/bin:/bin', join(ROOT, 'bin')), './fairlead')
  equal(programName(undefined, '/'), join(ROOT, 'bin/fairlead').slice(1))
  equal(programName('/bin', folder), join(ROOT, 'bin/fairlead'))
})

test('one that is on the search path needs no path, another one of that name does not count', () => {
  const [linked, foreign] = ['linked', 'foreign'].map(name => join(folder, name)) as [string, string]
  mkdirSync(linked)
  symlinkSync(join(ROOT, 'bin/fairlead'), join(linked, 'fairlead'))
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'fairlead'), '#!/bin/sh\n')
  chmodSync(join(foreign, 'fairlead'), 0o755)
  equal(programName(`/bin:${linked}`, ROOT), 'fairlead')
  equal(programName(`${foreign}:${linked}`, ROOT), 'bin/fairlead')
})
