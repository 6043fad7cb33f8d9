import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sendWebhook } from '#cli/demo/send-webhook.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import { systemClock } from '#lib/clock.ts'
import { docker } from './world/by-hand.ts'
import { mustRun } from './world/command.ts'
import { startFakeGithub } from './world/fake-github.ts'
import { hint } from './world/hint.ts'
import { startPostgresServer, WITHOUT_POSTGRES } from './world/postgres-server.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

const stack = new AsyncDisposableStack()
const APP = `superseding-${process.pid}`
const PUSHES = 20
const WITHIN_MS = 2000
const SERVE = 'exec httpd -f -p 8080 -h /www'
/** Is not well, and its deployment not at its end, until it is let serve. */
const HELD = `until [ -e /tmp/go ]; do sleep 0.1; done; ${SERVE}`
let system: System
let remote: Remote

before(async () => {
  // Where there is one, all of this happens on PostgreSQL.
  const database = WITHOUT_POSTGRES ? undefined : (await startPostgresServer(stack)).url
  system = await startSystem(stack, { environment: database ? { FAIRLEAD_DATABASE_URL: database } : {} })
  remote = await system.addRepository(APP, files('first'))
})
after(() => stack.disposeAsync())

test('R86 R87 P6 twenty pushes in two seconds are at most two deployments, and the last one serves', async () => {
  const { client } = system.together()
  const hook = await client.send<{ url: string; secret: string }>(
    'POST',
    `/repositories/${APP}/webhook-secret`,
    { git_host: 'github' },
  )
  let commit = ''
  const startedAt = systemClock.monotonic()
  for (let push = 1; push <= PUSHES; push += 1) {
    const before = commit || '0'.repeat(40)
    commit = await remote.push(files(`push ${push}`, { command: HELD }))
    await sendWebhook(hook, { ref: 'refs/heads/main', before, after: commit })
    await systemClock.sleep(Math.max(0, startedAt + (push * WITHIN_MS) / PUSHES - systemClock.monotonic()))
  }
  // The first deployment is still at work, however slow the machine is.
  const deployments = await letServe(untilAllEnded())
  const ran = deployments.filter(({ started_at }) => started_at !== null)
  assert.ok(
    ran.every(({ state }) => state === 'succeeded'),
    JSON.stringify(ran),
  )
  assert.ok(ran.length <= 2, `${ran.length} deployments ran`)
  assert.equal(ran[0]?.commit, commit)
  assert.equal((await system.visit(`${APP}.localhost`)).body, `push ${PUSHES}`)
})

test('P6 a newer wish supersedes what waits, and nothing of it runs', async () => {
  const { client } = system.together()
  const commits: string[] = []
  for (let count = 1; count <= 3; count += 1) {
    commits.push(await remote.push(files(`wish ${count}`)))
  }
  const wishes = await Promise.all(
    commits.map(commit => client.send<{ id: string }>('POST', `/apps/${APP}/deploy`, { commit })),
  )
  const ended = await untilAllEnded()
  const states = wishes.map(({ id }) => ended.find(each => each.id === id)?.state)
  assert.ok(states.includes('superseded'), states.join())
  for (const { state, started_at } of ended) {
    assert.equal(started_at === null, state === 'superseded')
  }
  const last = ended[0]
  assert.equal(last?.state, 'succeeded')
  assert.equal(
    (await system.visit(`${APP}.localhost`)).body,
    `wish ${commits.indexOf(last.commit ?? '') + 1}`,
  )
})

test('the Git host is told each state of a commit in order, and the last one once although the manager is killed before it is sent', async () => {
  const github = await startFakeGithub(stack)
  const report = { git_host: 'github', api: github.api, token: 'a-token' }
  await system.together().client.send('PATCH', `/repositories/${APP}`, { report })
  const begun = ['commit pending', 'deployment', 'deployment in_progress']
  const whole = [...begun, 'commit success', 'deployment success']
  const told = async (commit: string, what: readonly string[]) => {
    const deadline = systemClock.monotonic() + 60_000
    while (github.told(commit).length < what.length && systemClock.monotonic() < deadline) {
      await systemClock.sleep(20)
    }
    assert.deepEqual(github.told(commit), what)
  }
  const first = await remote.push(files('told'))
  assert.equal((await system.deploy(APP)).state, 'succeeded')
  await told(first, whole)

  const second = await remote.push(files('told after a kill', { build: 'RUN sleep 2\n' }))
  const { id } = await system.together().client.send<{ id: string }>('POST', `/apps/${APP}/deploy`, {})
  await told(second, begun)
  await github.goAway()
  const ended = await untilAllEnded()
  assert.equal(ended.find(each => each.id === id)?.state, 'succeeded')
  process.kill(system.together().manager.pid, 'SIGKILL')
  await github.comeBack()
  await system.restart()
  await told(second, whole)
})

test('G26 R10 R12 the address is pushed into the repository; the webhook of that push and a poll deploy nothing', async () => {
  const { client } = system.together()
  const deployFile = files('written')['fairlead.yaml'] ?? ''
  await remote.push({ 'fairlead.yaml': `${deployFile}    url_file: URL.md\n`, 'URL.md': '# Shop\n' })
  const { state, steps } = await system.deploy(APP)
  assert.deepEqual([state, steps.at(-1)?.name, steps.at(-1)?.state], ['succeeded', 'write-back', 'done'])
  const bare = join(system.gitServer.repositoriesFolder, `${APP}.git`)
  const git = (...args: string[]) => mustRun('git', [`--git-dir=${bare}`, ...args], { folder: '/' })
  const text = await git('show', 'main:URL.md')
  assert.ok(text.startsWith('# Shop\n'))
  assert.match(text, new RegExp(`\\[${APP}\\.localhost\\]\\(http://${APP}\\.localhost:[0-9]+/\\)`))
  const tip = (await git('rev-parse', 'main')).trim()
  const before = await untilAllEnded()
  await client.send('PATCH', `/repositories/${APP}`, { poll_seconds: 5 })
  await untilSeen(tip)
  assert.equal((await untilAllEnded()).length, before.length)
  const told = await hint(system.together(), APP)
  assert.deepEqual([told.outcome, told.commit], ['own-commit', tip])
  assert.equal((await git('rev-parse', 'main')).trim(), tip)
})

/** A poll has found this tip: nothing else looked since the push. */
async function untilSeen(tip: string): Promise<void> {
  const deadline = systemClock.monotonic() + 60_000
  for (;;) {
    const { client } = system.together()
    const { last_tip: seen } = await client.get<RepositoryDocument>(`/repositories/${APP}`)
    if (seen === tip) {
      return
    }
    assert.ok(systemClock.monotonic() < deadline, 'it is polled')
    await systemClock.sleep(100)
  }
}

/** Newest first. */
async function untilAllEnded() {
  const deadline = systemClock.monotonic() + 600_000
  for (;;) {
    const { items } = await system
      .together()
      .client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${APP}&limit=100`)
    if (items.every(({ finished_at }) => finished_at !== null)) {
      return items
    }
    assert.ok(systemClock.monotonic() < deadline, 'they end')
    await systemClock.sleep(50)
  }
}

/** Until these deployments have ended, whatever container of the app waits for it may serve. */
async function letServe<T>(deployments: Promise<T>): Promise<T> {
  let over = false
  const end = () => {
    over = true
  }
  deployments.then(end, end)
  while (!over) {
    const ids = await docker('ps', '--quiet', '--filter', `label=io.fairlead.app=${APP}`)
    for (const id of ids.split('\n').filter(Boolean)) {
      // It may be gone by now.
      await docker('exec', id, 'touch', '/tmp/go').catch(() => undefined)
    }
    await systemClock.sleep(100)
  }
  return await deployments
}

function files(text: string, { build = '', command = SERVE } = {}): Record<string, string> {
  return {
    'index.html': text,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\n${build}CMD ["sh", "-c", "${command}"]\n`,
    'fairlead.yaml': `version: 1\napps:\n  ${APP}:\n    target: container\n    port: 8080\n    drain: 0s\n    verify: { within: 5m }\n`,
  }
}
