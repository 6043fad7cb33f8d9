import { deepEqual, equal, notEqual, throws } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { GATE_UNREADABLE } from './gate-errors.ts'
import { openGateRecord } from './gate-record.ts'

const TICKET = 'a'.repeat(64)
const NOW = 1_000

test('a ticket lets one person in once, for its name and in time, also after a restart', t => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-gate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const first = openGateRecord(folder)
  equal(first.key('churn'), undefined)
  equal(first.key('constructor'), undefined)
  first.admit('churn', { ticket: TICKET, visitor: 'ann', until: NOW + 10 }, NOW)
  equal(statSync(join(folder, 'gate.json')).mode & 0o777, 0o600)

  const record = openGateRecord(folder)
  equal(record.key('churn'), first.key('churn'))
  equal(record.spend('other', TICKET, NOW), undefined)
  equal(record.spend('churn', TICKET, NOW + 10), undefined)
  equal(record.spend('churn', 'constructor', NOW), undefined)
  equal(record.spend('churn', TICKET, NOW + 9), 'ann')
  equal(record.spend('churn', TICKET, NOW), undefined)
  equal(openGateRecord(folder).spend('churn', TICKET, NOW), undefined)
})

test('what is kept of tickets ends with them, and a forgotten name gets another key', t => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-gate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const record = openGateRecord(folder)
  const ticket = (number: number) => String(number).padStart(64, '0')
  record.admit('churn', { ticket: ticket(0), visitor: 'ann', until: NOW + 1 }, NOW)
  record.admit('churn', { ticket: ticket(1), visitor: 'ann', until: NOW + 5 }, NOW + 2)
  const { tickets } = JSON.parse(readFileSync(join(folder, 'gate.json'), 'utf8'))
  deepEqual(Object.keys(tickets), [ticket(1)])
  const key = record.key('churn')
  record.forget('churn')
  equal(record.spend('churn', ticket(1), NOW), undefined)
  record.admit('churn', { ticket: ticket(2), visitor: 'bob', until: NOW + 1 }, NOW)
  notEqual(record.key('churn'), key)
})

test('who was expelled has nothing that lets them in, also after a restart, and is forgotten after their last visit', t => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-gate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const record = openGateRecord(folder)
  record.admit('churn', { ticket: TICKET, visitor: 'ann', until: NOW + 10 }, NOW)
  record.expel(['ann'], { now: NOW, until: NOW + 100 })
  equal(record.spend('churn', TICKET, NOW), undefined)
  equal(openGateRecord(folder).isExpelled('ann'), true)
  equal(record.isExpelled('bob'), false)
  equal(record.isExpelled('constructor'), false)
  record.expel(['bob'], { now: NOW + 100, until: NOW + 200 })
  equal(record.isExpelled('ann'), false)
})

test('a damaged record is named and not replaced', t => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-gate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'gate.json'), '{"version":1}')
  throws(() => openGateRecord(folder), GATE_UNREADABLE.matches)
})
