import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { FoundProject } from '#targets/notebook-project.ts'
import { expandOnce } from './expand-once.ts'

const PROJECT: FoundProject = {
  ...{ slug: 'a', folder: 'x/a', title: 'a', serves: true, notebooks: 1, entry: 'a.ipynb' },
  ...{ settings: {}, contentHash: 'c', problems: [] },
}
const scanned = (contentHash: string) => ({
  ...{ projects: [{ ...PROJECT, contentHash }], problems: [], notes: [] },
})
const named = (memory: string) => [
  { name: 'all', target: 'notebook', settings: { path: 'x/*', memory }, common: {} },
]

test('P7 the apps of a scan are made once for all its deployments, and anew for another scan or deploy file', () => {
  const scan = scanned('one')
  const plain = expandOnce(scan, undefined)
  equal(expandOnce(scan, undefined), plain)
  deepEqual(
    plain.apps.map(({ name, settings }) => [name, settings.memory]),
    [['a', undefined]],
  )
  const small = expandOnce(scan, named('1g'))
  equal(expandOnce(scan, named('1g')), small)
  equal(small.apps[0]?.settings.memory, '1g')
  equal(expandOnce(scan, named('2g')).apps[0]?.settings.memory, '2g')
  equal(expandOnce(scan, undefined).apps[0]?.settings.memory, undefined)
  const other = expandOnce(scanned('two'), undefined)
  equal(other.apps[0]?.files?.fingerprint === plain.apps[0]?.files?.fingerprint, false)
})
