import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { composeObserve } from '#commands/compose.ts'
import { COMPOSE_SERVICE_EXITED } from '#commands/compose-errors.ts'
import { systemClock } from '#lib/clock.ts'
import type { Plan } from '#targets/target.ts'
import { mustRun } from './world/command.ts'
import { startComposeApp } from './world/compose-app.ts'
import { startComposeWorld } from './world/compose-world.ts'
import type { ContainerWorld } from './world/container-world.ts'

describe('the compose target on a real engine', () => {
  test('builds, runs, sees that nothing is to do, changes one service, goes back, and leaves nothing', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const app = startApp(world)
    const first = await app.deploy(files(world, 'one'))
    deepEqual(changes(first.plan), [`build fairlead/${world.app}-web`, 'add db', 'add web'])
    deepEqual(await app.shown(), ['db running', 'web running'])

    const asked = systemClock.monotonic()
    const again = await app.deploy(files(world, 'one'))
    t.diagnostic(`nothing to do, decided in ${(systemClock.monotonic() - asked).toFixed(0)} ms`)
    deepEqual([again.plan.nothingToDo, changes(again.plan)], [true, ['untouched db', 'untouched web']])

    const before = await app.lives()
    const second = await app.deploy(files(world, 'two'))
    deepEqual(changes(second.plan), [
      `build fairlead/${world.app}-web`,
      'untouched db',
      'recreate web',
      'image web',
    ])
    const after = await app.lives()
    equal(after.db, before.db)
    ok(after.web !== before.web)

    const failed = await app.deploy(files(world, 'three', 'exit 7'))
    ok(COMPOSE_SERVICE_EXITED.matches(failed.error), String(failed.error))
    match(String(failed.error), /exit code 7/)
    deepEqual(await app.pages(), ['two'])

    const back = await app.deploy(files(world, 'one'))
    deepEqual(back.plan.build, [], 'the image of the first release is still here')
    deepEqual(await app.pages(), ['one'])

    await app.remove()
    deepEqual(await app.shown(), [])
  })
})

function startApp(world: ContainerWorld) {
  const settings = { files: ['compose.yaml'], routes: [], verify: { within: '20s', settle: '200ms' } }
  const observe = async () => (await composeObserve.run(world.hands, { project: world.app })).containers
  return {
    ...startComposeApp(world, { settings }),
    shown: async () => (await observe()).map(each => `${each.service} ${each.state}`),
    lives: async () =>
      Object.fromEntries((await observe()).map(each => [each.service, `${each.id} ${each.startedAt}`])),
    pages: async () => [await pageOf(world)],
  }
}

/** Asked inside the container: these services have no route. */
async function pageOf(world: ContainerWorld): Promise<string> {
  return mustRun('docker', ['exec', `${world.app}-web-1`, 'cat', '/w/index.html'], world)
}

function files(
  { base }: ContainerWorld,
  page: string,
  program = 'exec httpd -f -p 8080 -h /w',
): Record<string, string> {
  return {
    'compose.yaml': `
services:
  web:
    build: { context: web, args: { PROGRAM: "${program}" } }
    init: true
    depends_on: [db]
  db: { image: "${base}", init: true, command: [sleep, "1000"] }
`,
    'web/Dockerfile': `FROM ${base}\nARG PROGRAM\nENV PROGRAM=$PROGRAM\nCOPY index.html /w/\nCMD ["sh", "-c", "eval \\"$PROGRAM\\""]\n`,
    'web/index.html': page,
  }
}

/** Without the content tag of images. */
function changes(plan: Plan): string[] {
  return plan.changes.map(({ kind, what }) => `${kind} ${what.split(':')[0]}`)
}
