import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { freePort } from '#cli/demo/free-port.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import { engineFacts } from './world/engine-facts.ts'
import { checkPlan } from './world/plan-truth.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** What a deployment says of what runs already, against what a visitor and the engine see. */
const stack = new AsyncDisposableStack()
const NEVER = new AbortController().signal
/** More runs find more: FAIRLEAD_PLAN_RUNS=10 node --test integration/nothing-to-do.test.ts */
const RUNS = Number(process.env.FAIRLEAD_PLAN_RUNS ?? 1)
const SEED = 20_261_121
let system: System

before(async () => {
  system = await startSystem(stack)
})

after(() => stack.disposeAsync())

describe('an app that follows the tag of its image', () => {
  const app = `tags-${process.pid}`
  const reference = () => `${system.registry.address}/team/${app}:1`

  before(async () => {
    await docker(
      ...person(),
      'login',
      '--username=test',
      `--password=${system.registryOptions.password}`,
      system.registry.address,
    )
    await pushTag('one')
    await system.addRepository(app, {
      'compose.yaml': `services: { side: { image: "${reference()}", init: true, command: [sleep, "1000"] } }\n`,
      'fairlead.yaml': `version: 1\napps: { ${app}: { target: compose, follow_images: 10s } }\n`,
    })
    assert.equal((await system.deploy(app)).outcome, 'deployed')
  })

  test('is deployed by itself when somebody pushes another image, at the commit that runs', async () => {
    const { client } = system.together()
    const { release } = await client.get<AppDocument>(`/apps/${app}`)
    const pushed = await pushTag('two')
    const [latest] = await until(async () => {
      const { items } = await client.get<{ items: DeploymentDetail[] }>(`/deployments?app=${app}`)
      return items.length > 1 && items[0]?.finished_at ? items : undefined
    })
    assert.deepEqual(
      [latest?.state, latest?.outcome, latest?.trigger.kind],
      ['succeeded', 'deployed', 'image'],
    )
    assert.equal(latest?.commit, release?.commit)
    assert.match(latest?.trigger.detail ?? '', /:1 is sha256:[0-9a-f]{12} now$/)
    const [container = ''] = await ids(app)
    assert.match(
      await docker('inspect', '--format={{.Config.Image}}', container),
      new RegExp(`${pushed}$`, 'm'),
    )
  })

  function person(): string[] {
    return ['--config', `${system.folder}/person`]
  }

  /** As the pipeline of another project does; gives the digest. */
  async function pushTag(label: string): Promise<string> {
    await docker('create', '--name', `${app}-made`, system.baseImage, 'true')
    await docker('commit', '--change', `LABEL version=${label}`, `${app}-made`, reference())
    await docker('rm', `${app}-made`)
    const said = await docker(...person(), 'push', reference())
    await docker('rmi', reference())
    return /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1] ?? ''
  }
})

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) {
      return found
    }
    await systemClock.sleep(250)
  }
}

describe('a container app', () => {
  const app = `same-${process.pid}`
  let remote: Remote

  before(async () => {
    remote = await system.addRepository(app, {
      'site/Dockerfile': [
        `FROM ${system.baseImage}`,
        'COPY index.html up /www/',
        'EXPOSE 8080',
        // The engine would run it for the first time in half a minute.
        'HEALTHCHECK CMD ["true"]',
        'CMD ["httpd","-f","-p","8080","-h","/www"]',
      ].join('\n'),
      'site/index.html': 'hello\n',
      'site/up': 'yes\n',
      'fairlead.yaml': fileOf('/up'),
    })
    assert.equal((await system.deploy(app)).outcome, 'deployed')
  })

  test('P5 that the engine still calls "starting" is asked itself, and is not touched when it is ready', async () => {
    const before = await engineFacts(app)
    const health = await docker('inspect', '--format={{.State.Health.Status}}', ...(await ids(app)))
    assert.equal(health.trim(), 'starting')
    const again = await system.deploy(app)
    assert.deepEqual([again.state, again.outcome], ['succeeded', 'nothing-to-do'])
    assert.deepEqual(await engineFacts(app), before)
    assert.match(JSON.stringify(again.evidence), new RegExp(`"host":"${app}.localhost","scheme":"https"`))
  })

  test('shows the commit that runs, also when a commit changed nothing of it', async () => {
    const commit = await remote.push({ README: 'words\n' })
    const seen = await system.deploy(app)
    assert.equal(seen.outcome, 'nothing-to-do')
    const { release } = await system.together().client.get<AppDocument>(`/apps/${app}`)
    assert.deepEqual([release?.confirmed?.commit, release?.confirmed?.deployment], [commit, seen.id])
    assert.equal(release?.id, seen.release)
  })

  test('whose container runs but does not answer visitors as it should is made anew', async () => {
    await docker('exec', ...(await ids(app)), 'rm', '/www/up')
    assert.equal((await system.visit(`${app}.localhost`)).status, 200)
    const mended = await system.deploy(app)
    assert.deepEqual([mended.state, mended.outcome], ['succeeded', 'deployed'])
    assert.match(await system.logOf(mended.id), /plan: recreate .*\(its health is "starting"\)/)
    assert.equal((await system.deploy(app)).outcome, 'nothing-to-do')
  })

  test('is held to a new health path, whatever else stays the same', async () => {
    await remote.push({ 'fairlead.yaml': fileOf('/nowhere') })
    const refused = await system.deploy(app)
    assert.deepEqual([refused.state, refused.failed_step], ['failed', 'apply'])
    assert.equal((await system.visit(`${app}.localhost`)).status, 200)
  })

  function fileOf(path: string): string {
    return `version: 1\napps:\n  ${app}: { target: container, context: site, port: 8080, health: { http: ${path}, within: 3s } }\n`
  }
})

describe('a compose app', () => {
  const app = `same-compose-${process.pid}`

  test('is asked through the proxy before nothing is said to be to do', async () => {
    const command = '["httpd","-f","-p","8080","-h","/www"]'
    await system.addRepository(app, {
      'compose.yaml': `services: { web: { build: ., expose: [8080], command: ${command} } }\n`,
      Dockerfile: `FROM ${system.baseImage}\nCOPY up /www/up\n`,
      up: 'yes\n',
      'fairlead.yaml': `version: 1\napps:\n  ${app}: { target: compose, verify: { http: /up } }\n`,
    })
    assert.equal((await system.deploy(app)).outcome, 'deployed')
    const again = await system.deploy(app)
    assert.equal(again.outcome, 'nothing-to-do')
    assert.match(JSON.stringify(again.evidence), /"answers":\{"routes":\{"web\..*"status":200/)
    const { client } = system.together()
    const path = `/apps/${app}/logs?tail=10&follow=false`
    assert.deepEqual(await endOf(client.events(path, NEVER)), {})
    assert.deepEqual(await endOf(client.events(`${path}&service=web`, NEVER)), {})
    assert.match(
      JSON.stringify(await endOf(client.events(`${path}&service=none`, NEVER))),
      /CONTAINER_NOT_FOUND/,
    )
    await docker('exec', ...(await ids(app)), 'rm', '/www/up')
    const broken = await system.deploy(app)
    assert.deepEqual([broken.state, broken.error?.code], ['failed', 'ROUTE_NOT_ANSWERING'])
  })
})

const environment = fc.record(
  { A: fc.constantFrom('value-1', 'value-2'), B: fc.constantFrom('value-1', 'value-2') },
  { requiredKeys: [] },
)

describe('a generated container app', () => {
  interface Shape {
    readonly environment: Readonly<Record<string, string>>
    readonly published: number
    readonly memory: string
    readonly page: string
    readonly domains: readonly string[]
  }
  const shape: fc.Arbitrary<Shape> = fc.record({
    environment,
    published: fc.nat(1),
    memory: fc.constantFrom('64m', '96m'),
    page: fc.constantFrom('one', 'two'),
    domains: fc.constantFrom<string[]>([], ['other']),
  })
  const changes: fc.Arbitrary<readonly Partial<Shape>[]> = fc.tuple(
    fc.record({ environment, published: fc.nat(1), memory: fc.constantFrom('64m', '96m') }),
    fc.record({ page: fc.constantFrom('one', 'two'), domains: fc.constantFrom<string[]>([], ['other']) }),
  )
  const scenes = fc.record({ first: shape, changes })

  for (const [index, scene] of fc.sample(scenes, { numRuns: RUNS, seed: SEED }).entries()) {
    test(`changes as its plan says, ${JSON.stringify(scene)}`, async () => {
      const app = `plan-${index}-${process.pid}`
      const port = await freePort()
      await checkScene(app, scene, filesOf)

      function filesOf(each: Shape) {
        const published = each.published > 0 ? [{ host: port, container: 8080 }] : []
        const settings = {
          ...{ target: 'container', port: 8080, drain: '0s', environment: each.environment },
          ...{ memory: each.memory, ports: published, stop_grace: '1s' },
          domains: [`${app}.localhost`, ...each.domains.map(name => `${name}-${app}.localhost`)],
        }
        return {
          'fairlead.yaml': fileOf(app, settings),
          Dockerfile: siteOn(system.baseImage),
          'index.html': each.page,
        }
      }
    })
  }
})

describe('a generated Compose app', () => {
  interface Shape {
    readonly web: Readonly<Record<string, string>>
    readonly db: Readonly<Record<string, string>>
    readonly page: string
    readonly extra: boolean
    readonly depends: boolean
    readonly published: boolean
  }
  const shape: fc.Arbitrary<Shape> = fc.record({
    ...{ web: environment, db: environment, page: fc.constantFrom('one', 'two') },
    ...{ extra: fc.boolean(), depends: fc.boolean(), published: fc.boolean() },
  })
  const changes: fc.Arbitrary<readonly Partial<Shape>[]> = fc.tuple(
    fc.record({ web: environment, extra: fc.boolean() }),
    fc.record({ published: fc.boolean(), db: environment, page: fc.constantFrom('one', 'two') }),
  )
  const scenes = fc.record({ first: shape, changes })

  for (const [index, scene] of fc.sample(scenes, { numRuns: RUNS, seed: SEED }).entries()) {
    test(`changes as its plan says, ${JSON.stringify(scene)}`, async () => {
      const app = `plan-compose-${index}-${process.pid}`
      const port = await freePort()
      await checkScene(app, scene, each => ({
        'fairlead.yaml': fileOf(app, {
          ...{ target: 'compose', drain: '0s', verify: { settle: '0s' } },
          routes: [{ service: 'web', port: 8080 }],
        }),
        Dockerfile: siteOn(system.baseImage),
        'index.html': each.page,
        'compose.yaml': JSON.stringify({
          services: {
            web: {
              ...{ build: '.', expose: ['8080'], environment: each.web, stop_signal: 'SIGKILL' },
              ...(each.depends ? { depends_on: ['db'] } : {}),
            },
            db: {
              ...{
                image: system.baseImage,
                command: ['sleep', '1000'],
                environment: each.db,
                stop_signal: 'SIGKILL',
              },
              ...(each.published ? { ports: [`${port}:8080`] } : {}),
            },
            ...(each.extra
              ? { extra: { image: system.baseImage, command: ['sleep', '1000'], stop_signal: 'SIGKILL' } }
              : {}),
          },
        }),
      }))
    })
  }
})

/** Deploys it, sees that nothing is left to do, and then makes one change after the other. */
async function checkScene<S extends object>(
  app: string,
  { first, changes }: { readonly first: S; readonly changes: readonly Partial<S>[] },
  filesOf: (shape: S) => Readonly<Record<string, string>>,
): Promise<void> {
  const remote = await system.addRepository(app, filesOf(first))
  assert.equal((await checkPlan(system, app)).nothing_to_do, false)
  assert.equal((await checkPlan(system, app)).nothing_to_do, true)
  let shape = first
  for (const change of changes) {
    const before = filesOf(shape)
    shape = { ...shape, ...change }
    await remote.push(filesOf(shape))
    const plan = await checkPlan(system, app)
    const isSame = JSON.stringify(filesOf(shape)) === JSON.stringify(before)
    assert.equal(plan.nothing_to_do, isSame, JSON.stringify(change))
  }
}

function siteOn(baseImage: string): string {
  return `FROM ${baseImage}\nCOPY index.html /www/\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`
}

function fileOf(app: string, settings: object): string {
  return JSON.stringify({ version: 1, apps: { [app]: settings } })
}

test('a deployment that waits for an approval, and one just approved, outlive the manager; exactly the plan is done', async () => {
  const app = `approval-${process.pid}`
  const page = (text: string) => ({
    Dockerfile: siteOn(system.baseImage),
    'index.html': text,
  })
  const remote = await system.addRepository(app, page('old'))
  assert.equal((await system.deploy(app)).outcome, 'deployed')
  await system.together().client.send('PATCH', `/apps/${app}`, { approval: 'required' })
  const commit = await remote.push(page('new'))
  const waiting = await system.deploy(app)
  assert.equal(waiting.state, 'waiting')
  await system.restart()
  await remote.push(page('newer'))
  const path = `/deployments/${waiting.id}`
  assert.equal((await system.together().client.get<DeploymentDetail>(path)).state, 'waiting')
  assert.equal((await system.visit(`${app}.localhost`)).body, 'old')
  await system.together().client.send('POST', `${path}/approve`, { hash: waiting.plan_hash })
  await system.restart()
  const { client } = system.together()
  let ended = await client.get<DeploymentDetail>(path)
  for (let looks = 0; ['waiting', 'running'].includes(ended.state) && looks < 600; looks++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    ended = await client.get<DeploymentDetail>(path)
  }
  assert.deepEqual([ended.state, ended.commit, ended.error], ['succeeded', commit, null])
  assert.equal(ended.approved?.plan_hash, waiting.plan_hash)
  assert.equal((await system.visit(`${app}.localhost`)).body, 'new')
})

async function ids(app: string): Promise<string[]> {
  const text = await docker('ps', '--quiet', '--filter', `label=io.fairlead.app=${app}`)
  return text.split('\n').filter(Boolean)
}

function docker(...args: string[]): Promise<string> {
  return mustRun('docker', args, { folder: system.folder })
}

/** What the last event of a stream says. */
async function endOf(events: AsyncIterable<{ readonly data: unknown }>): Promise<unknown> {
  let last: unknown
  for await (const { data } of events) {
    last = data
  }
  return last
}
