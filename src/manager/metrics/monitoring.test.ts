import { deepEqual, equal } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { testServer } from '#manager/api/test-server.ts'

const FOLDER = join(PACKAGE_ROOT, 'deploy/monitoring')
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

test('every metric that the dashboard, the alerts and the manual name is one that the manager gives', async () => {
  const { ask, close } = await testServer()
  try {
    const given = [...(await ask('GET', '/metrics')).body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(
      ([, name = '', type]) => (type === 'histogram' ? [name, `${name}_bucket`, `${name}_count`] : [name]),
    )
    const manual = readFileSync(join(PACKAGE_ROOT, 'docs/monitoring.md'), 'utf8')
    const texts = [read('dashboard.json'), read('rules.yaml'), manual]
    const named = texts.flatMap(text => text.match(/\b(?:fairlead|process|nodejs)_[a-z0-9_]+/g) ?? [])
    // The manual names families by their beginning only.
    const wrong = named.filter(name => !given.includes(name) && !name.endsWith('_'))
    deepEqual(wrong, [])
    const told = given.filter(name => name.startsWith('fairlead_') && !/_(?:bucket|count)$/.test(name))
    deepEqual(
      told.filter(name => !manual.includes(name)),
      [],
    )
  } finally {
    await close()
  }
})

test('every alert has a test that it fires', () => {
  const tested = new Set(
    [...read('rules.test.yaml').matchAll(/alertname: (\w+)\n +exp_alerts:/g)].map(([, name]) => name),
  )
  deepEqual(
    [...read('rules.yaml').matchAll(/alert: (\w+)/g)]
      .map(([, name]) => name)
      .filter(name => !tested.has(name)),
    [],
  )
})

for (const [what, ...words] of [
  ['alerts', 'check', 'rules', 'rules.yaml'],
  ['tests of the alerts: each fires, and when it should not it does not', 'test', 'rules', 'rules.test.yaml'],
  ['configuration', 'check', 'config', '--syntax-only', 'prometheus.yaml'],
] as const) {
  test(`promtool takes the ${what}`, t => {
    const { error, status, stderr } = spawnSync('promtool', words, { cwd: FOLDER, encoding: 'utf8' })
    if (error) {
      t.skip('NOT CHECKED: promtool is not here (scripts/setup --promtool brings it)')
      return
    }
    equal(status, 0, stderr)
  })
}
