import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIT_START, type AuditEntry, auditHash, createAuditCheck } from './audit-chain.ts'

const entries: AuditEntry[] = []
for (let seq = 1; seq <= 5; seq += 1) {
  const entry = {
    ...{ seq, at: '2026-01-01T00:00:00.000Z', request: 'r', who: 'ada', address: '192.0.2.1' },
    ...{ action: 'POST /x', target: '/x', plan_hash: null, result: 'done' as const, status: 200 },
    // Lines of before have none.
    details: seq % 2 === 0 ? '{"role":"viewer"}' : null,
  } as const
  entries.push({ ...entry, hash: auditHash(entries.at(-1)?.hash ?? AUDIT_START.hash, entry) })
}
const last = entries.at(-1) as AuditEntry

function problemOf(given: readonly AuditEntry[], known = [last]): string | null {
  const check = createAuditCheck(known)
  for (const entry of given) {
    check.take(entry)
  }
  return check.finish().problem
}

test('an audit log as it was written is whole', () => {
  assert.equal(problemOf(entries), null)
})

for (const field of Object.keys(last).filter(name => name !== 'seq')) {
  test(`a line of the audit log whose ${field} was changed is found`, () => {
    const changed = entries.map(entry => (entry.seq === 3 ? { ...entry, [field]: 'x' } : entry))
    assert.match(String(problemOf(changed)), /^line 3 /)
  })
}

test('a line whose details were taken away is found', () => {
  const changed = entries.map(entry => (entry.seq === 4 ? { ...entry, details: null } : entry))
  assert.match(String(problemOf(changed)), /^line 4 /)
})

test('a line that was removed is found, also the first, and all at the end', () => {
  assert.match(String(problemOf(entries.filter(({ seq }) => seq !== 3))), /after line 2 comes 4/)
  assert.match(String(problemOf(entries.slice(1))), /after line 0 comes 2/)
  assert.match(String(problemOf(entries.slice(0, 3))), /lines after 3 were removed: there were 5/)
  assert.match(String(problemOf([])), /there were 5/)
})

test('lines that changed places are found, with their numbers or without', () => {
  const [one, two, three, ...others] = entries as [AuditEntry, AuditEntry, AuditEntry, ...AuditEntry[]]
  assert.match(String(problemOf([one, three, two, ...others])), /after line 1 comes 3/)
  const renumbered = [one, { ...three, seq: 2 }, { ...two, seq: 3 }, ...others]
  assert.match(String(problemOf(renumbered)), /^line 2 /)
})

test('a log that was written anew from some line on differs from what is known of it', () => {
  const forged: AuditEntry[] = []
  for (const entry of entries) {
    const wanted = { ...entry, who: entry.seq >= 3 ? 'eve' : entry.who }
    forged.push({ ...wanted, hash: auditHash(forged.at(-1)?.hash ?? AUDIT_START.hash, wanted) })
  }
  assert.match(String(problemOf(forged)), /line 5 is another one/)
  assert.equal(problemOf(forged, []), null)
})
