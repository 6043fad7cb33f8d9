import { deepEqual, match } from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS } from '#commands/index.ts'
import type { AgentState } from '#manager/agents/connection-options.ts'
import { seedApp, testServer } from '#manager/api/test-server.ts'
import { checkHost } from '#manager/hosts/check-host.ts'
import { endVisits } from './end-visits.ts'

test('whose token is gone is shut out by every host that let them in, also by one that was away', async t => {
  let isAway = true
  const manager = await testServer({
    answer(command) {
      if (command === 'route.expel' && isAway) {
        throw new Error('away')
      }
      return command === 'route.admit' ? { origins: ['https://churn.example.org'] } : {}
    },
  })
  t.after(() => manager.close())
  await seedApp(manager, 'churn')
  const { db, clock } = manager.parts
  await manager.ask('POST', '/api/v1/apps/churn/visits', {})
  await manager.ask('POST', '/api/v1/apps/churn/visits', {})
  const expelled = () =>
    manager.recorded.told.filter(({ command }) => command === 'route.expel').map(({ params }) => params)
  const left = async () => (await db.selectFrom('visits').select('visitor').execute()).length
  await endVisits(manager.parts)
  deepEqual([expelled(), await left()], [[], 1])

  const { id } = await db.selectFrom('tokens').select('id').executeTakeFirstOrThrow()
  await db.deleteFrom('tokens').where('id', '=', id).execute()
  await endVisits(manager.parts)
  deepEqual([expelled(), await left()], [[{ visitors: [id] }], 1])
  isAway = false
  await endVisits(manager.parts)
  deepEqual([expelled().length, await left()], [2, 0])

  await db.insertInto('visits').values({ visitor: 'ann', host: 'local', until: clock.now() }).execute()
  await endVisits(manager.parts)
  deepEqual([expelled().length, await left()], [2, 0], 'a visit that is over by itself')
})

test('a worker that is too old to end visits is not asked in vain: the log and the checks of its host say what to do', async t => {
  const manager = await testServer({
    answer: command =>
      command === 'route.admit'
        ? { origins: ['https://churn.example.org'] }
        : { checks: [], now: Date.now() },
  })
  t.after(() => manager.close())
  await seedApp(manager, 'churn')
  await manager.ask('POST', '/api/v1/apps/churn/visits', {})
  let capabilities = ['route.admit']
  const agents = {
    ...manager.parts.agents,
    state: () =>
      ({ status: 'connected', since: 1, attempts: 0, agent: { capabilities } }) as unknown as AgentState,
  }
  const { db, clock } = manager.parts
  await db
    .insertInto('visits')
    .values({ visitor: 'gone', host: 'local', until: clock.now() + 60_000 })
    .execute()
  const parts = { ...manager.parts, agents }
  const told = new Map<string, number>()
  await endVisits(parts, told)
  await endVisits(parts, told)
  const commands = () => manager.recorded.told.map(({ command }) => command)
  deepEqual(commands(), ['route.admit'])
  const warnings = manager.recorded.logged.filter(({ event }) => event === 'visits.not-ended')
  deepEqual(
    warnings.map(({ fields }) => [fields?.host, fields?.code]),
    [['local', 'VISITS_GO_ON']],
  )
  match(String(warnings[0]?.fields?.hint), /release of the manager/)
  const wrong = (await checkHost(parts, 'local')).checks.filter(({ mend }) => mend !== null)
  deepEqual(
    wrong.map(({ name }) => name),
    ['release'],
  )
  match(wrong[0]?.detail ?? '', /does not know .*route\.expel/)

  capabilities = COMMANDS.map(({ name }) => name)
  await endVisits(parts, told)
  deepEqual(commands().includes('route.expel'), true)
  deepEqual(
    (await checkHost(parts, 'local')).checks.filter(({ mend }) => mend !== null),
    [],
  )
})
