import { deepEqual, match } from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '#manager/api/test-server.ts'
import { checkHost } from './check-host.ts'

test('R99 a host whose clock is off by more than half a minute is told of, whichever way, with what to do', async t => {
  let offMs = 0
  const manager = await testServer({
    answer: () => ({ checks: [], now: manager.parts.clock.now() + offMs }),
  })
  t.after(() => manager.close())
  const clock = async (ms: number) => {
    offMs = ms
    const checks = await checkHost(manager.parts, 'local')
    return checks.find(({ name }) => name === 'clock')
  }
  for (const ms of [3_600_000, -3_600_000]) {
    const found = await clock(ms)
    match(found?.detail ?? '', /^its clock is 3\d{3}\.\d s off$/)
    match(found?.mend ?? '', /NTP/)
  }
  for (const ms of [0, 5_000, -5_000]) {
    deepEqual((await clock(ms))?.mend, null)
  }
})
