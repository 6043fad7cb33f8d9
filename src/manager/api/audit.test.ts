import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEntry } from '#lib/audit-chain.ts'
import { verifyAudit, writtenHead } from '#manager/audit/audit.ts'
import { dropTrigger } from '#manager/store/test-database.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
})
after(() => manager.close())

test('what is asked for is written down before it is done, and how it ended afterwards', async () => {
  const hash = 'a'.repeat(64)
  const id = '01a1f918-4d66-7304-b64d-f7cb7763c0df'
  const answer = await manager.ask('POST', `/api/v1/deployments/${id}/approve`, { hash })
  assert.equal(answer.statusCode, 404)
  const changed = await manager.ask('POST', '/api/v1/apps/shop/resume')
  assert.ok(changed.statusCode < 300, changed.body)
  const lines = await linesOnceThereAre(4)
  const [asked, refused, ...others] = lines
  assert.equal(asked?.request, answer.headers['x-request-id'])
  assert.deepEqual(
    [asked?.action, asked?.target, asked?.plan_hash, asked?.result, asked?.status],
    ['POST /api/v1/deployments/:id/approve', `/api/v1/deployments/${id}/approve`, hash, 'asked', null],
  )
  assert.match(String(asked?.who), /^admin \(token [0-9a-f-]{36}\)$/)
  assert.deepEqual([refused?.request, refused?.result, refused?.status], [asked?.request, 'refused', 404])
  assert.equal(others[0]?.result, 'asked')
})

test('the lines say what was asked for and what was made, and no secret', async () => {
  const before = (await lines()).length
  const machine = { role: 'deployer' }
  const made = (await manager.ask('POST', '/api/v1/tokens', { name: 'robot', days: null, machine })).json()
  const eve = { name: 'Eve', email: 'eve@example.org', role: 'viewer' }
  const { person, invitation } = (await manager.ask('POST', '/api/v1/people', eve)).json()
  await manager.ask('PATCH', `/api/v1/people/${person.id}`, { role: 'admin' })
  await manager.ask('PUT', '/api/v1/apps/shop/secrets/KEY', { value: 'hidden-value' })
  await manager.ask('DELETE', '/api/v1/apps/shop?forget=true')
  const found = (await linesOnceThereAre(before + 10)).slice(before)
  const told = (result: string) =>
    found.filter(line => line.result === result).map(({ details }) => details && JSON.parse(details))
  const token = { name: 'robot', days: null, 'machine.role': 'deployer' }
  assert.deepEqual(told('asked'), [token, eve, { role: 'admin' }, null, { forget: true }])
  const ended = told('done')
  assert.ok(ended.some(each => each?.made === made.details.id && each.name === 'robot'))
  assert.ok(ended.some(each => each?.made === person.id && each.role === 'viewer'))
  const all = JSON.stringify(found)
  for (const secret of ['hidden-value', made.token, invitation.code]) {
    assert.ok(!all.includes(secret))
  }
})

test('reading is not written down, and whoever is refused is, up to a hundred times a minute', async () => {
  const before = (await lines()).length
  await manager.ask('GET', '/api/v1/apps')
  // At once: within a minute, however slow the machine is.
  await Promise.all(
    Array.from({ length: 120 }, (_, n) =>
      manager.server.inject({ method: 'POST', url: '/api/v1/apps', remoteAddress: `198.51.100.${n}` }),
    ),
  )
  const found = (await linesOnceThereAre(before + 100)).slice(before)
  await manager.ask('DELETE', '/api/v1/ci-trusts/none')
  const all = (await linesOnceThereAre(before + 102)).slice(before)
  assert.equal(all.length, 102)
  assert.ok(
    found.every(({ who, result, status }) => who === 'nobody' && result === 'refused' && status === 401),
  )
})

test('the log is listed from either end and verified over the API', async () => {
  const newest = (await manager.ask('GET', '/api/v1/audit?limit=1')).json()
  const oldest = (await manager.ask('GET', '/api/v1/audit?limit=1&order=oldest')).json()
  assert.equal(oldest.items[0].seq, 1)
  const second = (await manager.ask('GET', `/api/v1/audit?limit=1&cursor=${newest.next}`)).json()
  assert.equal(second.items[0].seq, newest.items[0].seq - 1)
  await headIs(newest.items[0].seq)
  const { ok, entries, head } = (await manager.ask('GET', '/api/v1/audit/verification')).json()
  assert.deepEqual([ok, entries, head], [true, newest.items[0].seq, `${entries}:${newest.items[0].hash}`])
})

test('lines cannot be changed or removed by a statement, and who goes around that is found', async () => {
  const { db } = manager.parts
  await assert.rejects(db.updateTable('audit').set({ who: 'x' }).execute(), /not changed/)
  await assert.rejects(db.deleteFrom('audit').execute(), /not changed/)
  await dropTrigger(db, { trigger: 'audit_stays', table: 'audit' })
  await dropTrigger(db, { trigger: 'audit_is_kept', table: 'audit' })
  const last = (await lines()).at(-1)
  assert.ok(last)
  await headIs(last.seq)

  await db.updateTable('audit').set({ status: 200 }).where('seq', '=', 2).execute()
  assert.match(String((await verifyAudit(manager.parts)).problem), /^line 2 /)
  await db.updateTable('audit').set({ status: 404 }).where('seq', '=', 2).execute()
  assert.equal((await verifyAudit(manager.parts)).problem, null)

  await db.deleteFrom('audit').where('seq', '=', last.seq).execute()
  assert.match(String((await verifyAudit(manager.parts)).problem), /lines after \d+ were removed/)
  rmSync(join(manager.parts.config.data, 'audit-head'))
  assert.match(String((await verifyAudit(manager.parts)).problem), /not written down/)
})

async function lines(): Promise<AuditEntry[]> {
  return (await manager.ask('GET', '/api/v1/audit?order=oldest&limit=1000')).json().items
}

/** How a request ended is written down after its answer. */
async function linesOnceThereAre(count: number): Promise<AuditEntry[]> {
  for (let tries = 0; tries < 5000; tries += 1) {
    const found = await lines()
    if (found.length >= count) {
      return found
    }
    await sleep(20)
  }
  throw new Error(`there are fewer than ${count} lines: ${JSON.stringify(await lines())}`)
}

async function headIs(seq: number): Promise<void> {
  let tries = 0
  while (writtenHead(manager.parts)?.seq !== seq && tries < 5000) {
    tries += 1
    await sleep(20)
  }
}
