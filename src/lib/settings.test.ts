import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { dataFolder, SETTINGS, settingsOf, unknownSettings } from './settings.ts'

test('R102 a misspelt setting is named, with the one that was meant', () => {
  const [problem, ...others] = unknownSettings({ FAIRLEAD_PROXI_ADMIN: 'x', FAIRLEAD_SUBNET: 'y', PATH: 'z' })
  deepEqual(others, [])
  equal(problem?.path, 'FAIRLEAD_PROXI_ADMIN')
  match(problem?.message ?? '', /did you mean FAIRLEAD_PROXY_ADMIN\?$/)
})

test('R102 one that is like no other is told where all are described', () => {
  deepEqual(unknownSettings({ FAIRLEAD_PORT: '' }), [])
  match(unknownSettings({ FAIRLEAD_COLOUR: 'red' })[0]?.message ?? '', /docs\/running\.md lists all$/)
})

test('no setting is there twice, and none is without a reader', () => {
  const names = SETTINGS.map(({ name }) => name)
  equal(new Set(names).size, names.length)
  const read = (['manager', 'worker', 'guardian', 'client'] as const).flatMap(reader =>
    settingsOf(reader).map(({ name }) => name),
  )
  deepEqual(new Set(read), new Set(names))
})

test('the data folder is one for all parts: named, else of the person, else of the machine', () => {
  equal(dataFolder({ FAIRLEAD_DATA: '/srv/f', HOME: '/home/ada' }), '/srv/f')
  equal(dataFolder({ XDG_DATA_HOME: '/data', HOME: '/home/ada' }), '/data/fairlead')
  equal(dataFolder({ FAIRLEAD_DATA: '', HOME: '/home/ada' }), '/home/ada/.local/share/fairlead')
  equal(dataFolder({}), '/var/lib/fairlead')
})
