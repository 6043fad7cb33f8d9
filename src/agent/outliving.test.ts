import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { groupAlive } from '#exec/process-group.ts'
import { systemClock } from '#lib/clock.ts'
import { idemOf } from '#link/idem.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { anIdentity, pinFor, temporaryFolder } from '#link/test-identities.ts'
import type { Orphan } from './journal.ts'
import { peersIn } from './peers.ts'
import { startAgentProcess } from './test-agent-child.ts'
import { TestManager } from './test-manager.ts'

/** Agents as processes that are killed while `test.program` runs, which prints `one`, waits for a file and prints `two`. */
test('G20 M23 a command whose program outlived its agent goes on with it when it is told again, once', async t => {
  const scene = await killed(t)
  const manager = await scene.next()
  manager.send('resume', { id: scene.id, fromSeq: scene.seen })
  assert.equal((await manager.frame('accepted')).state, 'orphaned')
  assert.deepEqual(await statesOf(manager), [[scene.id, 'orphaned']])
  scene.tellAgain(manager)
  scene.open()
  const { command, data } = await manager.ending(scene.id)
  assert.deepEqual([command, data.data], ['result', { pid: scene.orphan.program.pid, starts: 1 }])
  assert.deepEqual(
    [...scene.lines, ...manager.lines(scene.id).map(({ text }) => text)],
    ['begun', 'one [redacted]', 'two [redacted]', 'over'],
  )
  assert.equal(data.seq, 4)
  assert.deepEqual(readdirSync(join(scene.folder, 'temporary')), [])
})

test('M23 a program that ended while no agent ran gives its result', async t => {
  const scene = await killed(t)
  scene.open()
  await gone(scene.orphan)
  const manager = await scene.next()
  scene.tellAgain(manager)
  assert.equal((await manager.ending(scene.id)).command, 'result')
  assert.deepEqual(scene.starts(), 1)
})

test('M18 with other data the program is ended and the command is interrupted', async t => {
  const scene = await killed(t)
  const manager = await scene.next()
  scene.tellAgain(manager, { secret: 'another-secret' })
  assert.equal(codeOf(await manager.ending(scene.id)), 'COMMAND_INTERRUPTED')
  await assertEnded(scene)
})

test('A11 a cancel ends a program that waits for its command to be told again', async t => {
  const scene = await killed(t)
  const manager = await scene.next()
  manager.send('cancel', { id: scene.id })
  manager.send('resume', { id: scene.id, fromSeq: 0 })
  assert.equal(codeOf(await manager.ending(scene.id)), 'COMMAND_CANCELLED')
  await assertEnded(scene)
})

test('A11 a deadline that passed while no agent ran is kept by the next one', async t => {
  const scene = await killed(t)
  scene.change(orphan => ({ ...orphan, deadlineAt: systemClock.now() - 1 }))
  const manager = await scene.next()
  manager.send('resume', { id: scene.id, fromSeq: 0 })
  assert.equal(codeOf(await manager.ending(scene.id)), 'COMMAND_TIMED_OUT')
  await assertEnded(scene)
})

test('a process that has the number of a program by now is left alone, and the command is interrupted', async t => {
  const scene = await killed(t)
  const other = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
  t.after(() => other.kill('SIGKILL'))
  await once(other, 'spawn')
  const pid = other.pid ?? 0
  scene.change(orphan => ({ ...orphan, program: { ...orphan.program, pid } }))
  const manager = await scene.next()
  assert.deepEqual(await statesOf(manager), [[scene.id, 'interrupted']])
  assert.ok(groupAlive(pid))
  await assertEnded(scene)
})

test('after another start of the host a command is interrupted', async t => {
  const scene = await killed(t)
  scene.change(orphan => ({ ...orphan, program: { ...orphan.program, boot: 'another' } }))
  assert.deepEqual(await statesOf(await scene.next()), [[scene.id, 'interrupted']])
  await assertEnded(scene)
})

const SECRET = 'hunter-two-and-more'
const PARAMS = { secret: SECRET }

/** An agent that was killed when the program had begun, and what is needed to go on. */
async function killed(t: TestContext) {
  const folder = temporaryFolder(t)
  const identity = loadOrCreateIdentity({ folder, clock: systemClock, name: 'killed', role: 'worker' })
  const manager = anIdentity(t, 'manager')
  peersIn(folder).trust(publicIdentity(manager))
  const known = { identity, manager, pin: pinFor(identity) }
  const first = await startAgentProcess(t, folder, known)
  const teller = new TestManager(t, first, { epoch: 1 })
  await teller.open()
  const id = teller.tell('test.program', PARAMS)
  await teller.frame('progress', ({ lines }) =>
    (lines as { text: string }[]).some(({ text }) => /^one/.test(text)),
  )
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const change = (to: (orphan: Orphan) => Orphan) => {
    const db = new DatabaseSync(join(folder, 'journal.db'))
    const row = db.prepare('SELECT facts FROM programs').get()
    const orphan = to(JSON.parse(String(row?.facts)) as Orphan)
    db.prepare('UPDATE programs SET facts = ?').run(JSON.stringify(orphan))
    db.close()
    return orphan
  }
  const orphan = change(each => each)
  assert.ok(groupAlive(orphan.program.pid))
  const lines = teller.lines(id)
  return {
    folder,
    id,
    orphan,
    change,
    lines: lines.map(({ text }) => text),
    seen: lines.length,
    open: () => writeFileSync(join(folder, 'gate'), ''),
    starts: () => readFileSync(join(folder, 'starts'), 'utf8').split('\n').length - 1,
    async next() {
      const next = new TestManager(t, await startAgentProcess(t, folder, known), { epoch: 1 })
      await next.open()
      return next
    },
    tellAgain: (to: TestManager, params: object = PARAMS) =>
      void to.tell('test.program', params, { id, idem: idemOf(params) }),
  }
}

async function statesOf(manager: TestManager): Promise<[string, string][]> {
  const { running } = await manager.frame('welcome')
  return (running as { id: string; state: string }[]).map(({ id, state }) => [id, state])
}

function codeOf({ data }: { data: Record<string, unknown> }): string | undefined {
  return (data.error as { code: string } | undefined)?.code
}

async function gone({ program }: Orphan): Promise<void> {
  while (groupAlive(program.pid)) {
    await systemClock.sleep(20)
  }
}

async function assertEnded({ orphan, folder }: { orphan: Orphan; folder: string }): Promise<void> {
  assert.ok(!groupAlive(orphan.program.pid))
  assert.ok(!existsSync(orphan.program.outputs))
  assert.deepEqual(readdirSync(join(folder, 'temporary')), [])
}
