import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import type { AgentState } from '#manager/agents/connection-options.ts'
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
    const { checks, skewMs } = await checkHost(manager.parts, 'local')
    return { ...checks.find(({ name }) => name === 'clock'), skewMs }
  }
  for (const ms of [3_600_000, -3_600_000]) {
    const found = await clock(ms)
    equal(Math.sign(found.skewMs ?? 0), Math.sign(ms))
    match(found.detail ?? '', /^its clock is 3\d{3}\.\d s off$/)
    match(found.mend ?? '', /NTP/)
  }
  for (const ms of [0, 5_000, -5_000]) {
    deepEqual((await clock(ms)).mend, null)
  }
})

test('R99 a guardian tells of its clock and its disk; agents of before tell less, which is no fault', async t => {
  const manager = await testServer({
    answer: command => ({
      checks: command === 'guardian.check' ? [{ name: 'disk', detail: 'enough', mend: null }] : [],
      now: manager.parts.clock.now() - 120_000,
    }),
    hosts: ['wall', 'box'],
  })
  t.after(() => manager.close())
  const { db } = manager.parts
  await db.updateTable('hosts').set({ role: 'guardian' }).where('name', '=', 'wall').execute()
  const of = async (host: string, capabilities: readonly string[]) => {
    const state = () => ({ status: 'connected', agent: { capabilities } }) as unknown as AgentState
    return await checkHost({ ...manager.parts, agents: { ...manager.parts.agents, state } }, host)
  }
  const { checks, skewMs } = await of('wall', ['guardian.check'])
  deepEqual(
    checks.map(({ name, mend }) => [name, mend === null]),
    [
      ['disk', true],
      ['clock', false],
    ],
  )
  ok((skewMs ?? 0) <= -60_000)
  const told = manager.recorded.told.length
  const before = await of('wall', ['firewall.observe'])
  deepEqual(before, {
    checks: ['disk', 'clock'].map(name => ({
      ...{ name, mend: null },
      detail: 'not told by this version of its guardian',
    })),
    skewMs: null,
  })
  equal(manager.recorded.told.length, told, 'it was not asked what it does not know')
  const worker = await of('box', [])
  deepEqual(
    worker.checks.find(({ name }) => name === 'engine disk'),
    { name: 'engine disk', detail: 'not told by this version of its worker', mend: null },
  )
})

test('R99 the manager tells what is left where it keeps its own files', async t => {
  const manager = await testServer()
  t.after(() => manager.close())
  mkdirSync(manager.parts.config.data, { recursive: true })
  const { items } = (await manager.ask('GET', '/api/v1/manager/checks')).json()
  equal(items.length, 1)
  equal(items[0].name, 'disk')
  match(items[0].detail, /^\d+\.\d GB \(\d+ %\) free where the manager keeps its files$/)
})
