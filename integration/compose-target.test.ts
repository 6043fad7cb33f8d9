import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TObject } from 'typebox'
import type { Command } from '#commands/command.ts'
import {
  composeDown,
  composeObserve,
  composeRender,
  composeRestore,
  composeRetire,
  composeUp,
  composeVerify,
} from '#commands/compose.ts'
import { COMPOSE_SERVICE_EXITED } from '#commands/compose-errors.ts'
import { imageBuild, imageContent, imagePrune } from '#commands/image.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { fill } from '#manager/pipeline/fill.ts'
import { compose } from '#targets/compose.ts'
import type { Plan, ReleaseFacts, Tell } from '#targets/target.ts'
import { mustRun } from './world/command.ts'
import { startComposeWorld } from './world/compose-world.ts'
import type { ContainerWorld } from './world/container-world.ts'

const COMMANDS = new Map(
  [
    composeDown,
    composeObserve,
    composeRender,
    composeRestore,
    composeRetire,
    composeUp,
    composeVerify,
    imageBuild,
    imageContent,
    imagePrune,
  ].map(command => [command.name, command as Command<TObject, TObject>]),
)

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
    deepEqual(changes(second.plan), [`build fairlead/${world.app}-web`, 'untouched db', 'recreate web'])
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

/** What a manager does with a target, without a manager: ask, decide, tell, and undo when something fails. */
function startApp(world: ContainerWorld) {
  let previous: ReleaseFacts | undefined
  const facts = { name: world.app, baseDomain: 'example.org' }
  const run = async ({ command, data }: Tell): Promise<Record<string, unknown>> => {
    const found = COMMANDS.get(command)
    if (!found) {
      throw new Error(`no command ${command}`)
    }
    return (await found.run(world.hands, data as never)) as Record<string, unknown>
  }
  const observe = async () => (await composeObserve.run(world.hands, { project: world.app })).containers

  async function decide(texts: Readonly<Record<string, string>>) {
    const commit = await world.commit(texts)
    const found: Record<string, unknown> = {}
    const input = {
      app: facts,
      settings: { files: ['compose.yaml'], routes: [], verify: { within: '20s', settle: '200ms' } },
      deployment: newId(),
      source: { commit, branch: 'main', repository: 'shop', texts, paths: Object.keys(texts) },
      found,
      registry: undefined,
      secrets: {},
      previous,
    }
    for (;;) {
      const news = compose.look(input).filter(each => !(each.key in found))
      if (news.length === 0) {
        return { commit, plan: compose.plan(input) }
      }
      for (const each of news) {
        found[each.key] = await run(each)
      }
    }
  }

  async function deploy(texts: Readonly<Record<string, string>>): Promise<{ plan: Plan; error?: unknown }> {
    const { commit, plan } = await decide(texts)
    const results = new Map<string, Record<string, unknown>>()
    try {
      for (const each of [plan.build, plan.push, plan.apply, plan.verify, plan.route, plan.prune].flat()) {
        results.set(each.key, await run({ ...each, data: fill(each.data, results) }))
      }
    } catch (error) {
      for (const each of plan.undo) {
        await run(each)
      }
      return { plan, error }
    }
    previous = { id: newId(), commit, configHash: '', content: fill(plan.release, results) }
    return { plan }
  }

  return {
    deploy,
    remove: async () => {
      for (const each of compose.remove({ app: facts, volumes: 'delete' })) {
        await run(each)
      }
    },
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
