import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import picocolors from 'picocolors'
import type { Printer } from '#cli/print.ts'
import type { Session } from '#cli/session.ts'
import { configureDoctor } from './doctor.ts'

const APP = { ...{ name: 'shop', domains: [], paused: null, stopped: false }, release: { id: 'r1' } }
const WELL = { state: 'running', reason: null }
const DOWN = { state: 'stopped', reason: 'somebody stopped it' }

test('R99 doctor --json names each finding with its remedy, and its exit code says whether something is wrong', async () => {
  const sick = await doctor([], [DOWN])
  equal(sick.code, 1)
  equal(sick.answer.healthy, false)
  deepEqual(
    sick.answer.checks.filter(({ mend }) => mend !== null),
    [
      ...[
        {
          where: 'manager',
          name: 'hosts',
          detail: 'there is none',
          mend: 'Add one: docs/running.md, "More hosts".',
        },
        {
          ...{ where: 'shop', name: 'runs', detail: 'somebody stopped it' },
          mend: 'Deploy it again: "fairlead deploy shop".',
        },
      ],
    ],
  )
  equal('mended' in sick.answer, false)
  deepEqual(sick.sent, [], 'nothing is changed that nobody asked for')
})

test('R99 doctor --fix brings back what was stopped, looks again, and tells what it did', async () => {
  const { answer, sent, lines } = await doctor(['--fix'], [DOWN, WELL])
  deepEqual(sent, ['/apps/shop/deploy'])
  deepEqual(answer.mended, [{ where: 'shop', what: 'brought back release r1', problem: null }])
  deepEqual(
    answer.checks.filter(({ where }) => where === 'shop'),
    [],
  )
  equal(lines.includes('MENDED shop: brought back release r1'), true)
})

interface Answer {
  readonly healthy: boolean
  readonly checks: readonly { readonly where: string; readonly name: string; readonly mend: string | null }[]
  readonly mended?: readonly unknown[]
}

/** What the command answers while the app is observed like this, one after the other: the last one stays. */
async function doctor(words: readonly string[], states: readonly object[]) {
  const sent: string[] = []
  const lines: string[] = []
  let answer: Answer = { healthy: true, checks: [] }
  const client = {
    url: 'http://manager',
    get: async (path: string) => {
      const observed = sent.length === 0 ? states[0] : states.at(-1)
      const app = { ...APP, observed, drift: { findings: 0, reason: null }, deployment: null }
      const items = path.startsWith('/apps') ? [app] : []
      return { items, next: null, app: null, address: null }
    },
    send: async (_method: string, path: string) => {
      sent.push(path)
      return { state: 'succeeded' }
    },
  }
  const printer: Partial<Printer> = {
    colour: picocolors.createColors(false),
    line: (text = '') => void lines.push(text),
    answer: value => {
      answer = value as Answer
    },
  }
  const session = { client, printer, clock: { now: () => 0 } } as unknown as Session
  let code: unknown
  const command = new Command('doctor')
  configureDoctor(command, work => async (...args) => {
    code = await work(session, ...args)
  })
  await command.parseAsync([...words], { from: 'user' })
  return { code, answer, sent, lines }
}
