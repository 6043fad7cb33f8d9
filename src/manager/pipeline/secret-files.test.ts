import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { Encrypter } from 'age-encryption'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { forgetOld } from '#manager/housekeeping.ts'
import { secretsOfRelease, setSecret } from '#manager/secrets/queries.ts'
import { recipientOf } from '#manager/secrets/repository-keys.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { planApp } from './plan-app.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue, testParts } from './test-queue.ts'

const NO_LOGS = { forget: async () => {}, ids: async function* () {} }

const sealer = createSealer(Buffer.alloc(32, 1))
const DEPLOY_FILE = [
  ...['version: 1', 'apps:', '  shop:', '    target: container', '    watch: [app]'],
  '    secret_files: [prod.env.age, { file: tls.age, name: TLS_KEY }]',
  '    environment: { API_KEY: $API_KEY, TLS_KEY: $TLS_KEY }',
].join('\n')

let store: TestStore
let agents: FakeAgents
let app: string
let queue: Queue
/** What the next checkout has, and whether the push changed what is watched. */
let files: Record<string, string>
let commit: string
let changes: boolean
const told: string[] = []

beforeEach(async () => {
  store = await openTestStore()
  app = await addApp(store, 'shop')
  changes = true
  await push('1', 'canary-one')
  const working = workingAnswers()
  const texts = { Dockerfile: 'FROM scratch\nEXPOSE 8080\n', 'fairlead.yaml': DEPLOY_FILE }
  const answers: typeof working = {
    ...working,
    'repository.checkout': (...asked) => ({
      ...(working['repository.checkout']?.(...asked) as object),
      ...{ commit, paths: [...Object.keys(texts), ...Object.keys(files)], texts },
    }),
    'repository.bytes': () => ({ files }),
    'repository.changes': () => ({ compared: 'yes', changed: 1, watched: changes ? 1 : 0, examples: [] }),
  }
  told.length = 0
  agents = createFakeAgents(
    Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [
        name,
        (...asked: Parameters<typeof answer>) => {
          told.push(`${name} ${JSON.stringify(asked[0])}`)
          return answer(...asked)
        },
      ]),
    ),
  )
  queue = openTestQueue(store, agents, { sealer })
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function push(number: string, key: string): Promise<void> {
  const row = await store.db.selectFrom('apps').select('repository_id').executeTakeFirstOrThrow()
  const { recipient } = await recipientOf({ ...store, sealer }, row.repository_id ?? '')
  const encrypted = async (text: string) => {
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    return Buffer.from(await encrypter.encrypt(text)).toString('base64')
  }
  commit = number.repeat(40)
  files = {
    'prod.env.age': await encrypted(`API_KEY=${key}\nUNUSED=canary-unused\n`),
    'tls.age': await encrypted('canary-tls\n'),
  }
}

async function deploy() {
  const trigger = { kind: 'webhook', by: 'github' } as const
  const requested = await requestDeployment(store, { appId: app, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, requested.id)
}

/** Everything that the manager wrote anywhere. */
function written(): string {
  return readdirSync(store.folder, { recursive: true, encoding: 'utf8' })
    .map(path => join(store.folder, path))
    .filter(path => statSync(path).isFile())
    .map(path => readFileSync(path, 'latin1'))
    .join('')
}

test('R01 R03 what a file holds goes to the worker with the start of the container, and nowhere else', async () => {
  const { state, id } = await deploy()
  assert.equal(state, 'succeeded')
  const named = told.filter(each => /canary/.test(each))
  assert.deepEqual([...new Set(named.map(each => each.split(' ')[0]))], ['container.start'])
  assert.ok(named.some(each => each.includes('canary-one') && each.includes('canary-tls')))
  assert.ok(!named.some(each => each.includes('canary-unused')))
  const { plan } = await store.db
    .selectFrom('deployments')
    .select('plan')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.match(plan ?? '', /container\.start/)
  assert.doesNotMatch(written(), /canary/)
  const { shown } = await planApp(testParts(store, agents, { sealer }), app)
  assert.doesNotMatch(JSON.stringify(shown), /canary/)
})

test('a release keeps what it was made with; an unwatched push is none for it; what nobody needs is forgotten', async () => {
  await deploy()
  const first = await store.db.selectFrom('releases').select('secrets').executeTakeFirstOrThrow()
  const revisions = JSON.parse(first.secrets ?? '{}')
  assert.deepEqual(Object.keys(revisions).sort(), ['API_KEY', 'TLS_KEY'])

  changes = false
  commit = '2'.repeat(40)
  assert.equal((await deploy()).outcome, 'unaffected')

  changes = true
  await push('3', 'canary-three')
  assert.equal((await deploy()).state, 'succeeded')
  assert.ok(told.some(each => each.startsWith('container.start') && each.includes('canary-three')))
  await forgetOld({ ...store, logs: NO_LOGS as never })
  const { values } = await secretsOfRelease({ ...store, sealer }, app, revisions)
  assert.deepEqual(values, { API_KEY: 'canary-one', TLS_KEY: 'canary-tls' })

  await store.db.deleteFrom('releases').execute()
  await forgetOld({ ...store, logs: NO_LOGS as never })
  assert.deepEqual(await store.db.selectFrom('file_secrets').select('id').execute(), [])
  await assert.rejects(secretsOfRelease({ ...store, sealer }, app, revisions), {
    code: 'SECRET_REVISION_GONE',
  })
})

test("the app's own secret goes before a file, and a file for nobody here fails the deployment by its name", async () => {
  await setSecret({ ...store, sealer }, { appId: app, name: 'API_KEY', value: 'canary-own' })
  await deploy()
  assert.ok(told.some(each => each.startsWith('container.start') && each.includes('canary-own')))
  const stranger = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
  const encrypter = new Encrypter()
  encrypter.addRecipient(stranger)
  files['prod.env.age'] = Buffer.from(await encrypter.encrypt('API_KEY=x')).toString('base64')
  commit = '4'.repeat(40)
  const failed = await deploy()
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'SECRET_FILE_FOREIGN'])
  await push('5', 'canary-six')
  delete files['tls.age']
  assert.equal((await deploy()).error?.code, 'SECRET_FILE_MISSING')
})
