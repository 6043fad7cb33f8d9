import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { COMPOSE_FILE_MISSING, COMPOSE_INVALID, COMPOSE_NOT_ALLOWED } from '#commands/compose-errors.ts'
import { mustRun } from './world/command.ts'
import {
  deploy,
  failure,
  page,
  pair,
  render,
  rendered,
  simple,
  startComposeWorld,
  up,
} from './world/compose-world.ts'

describe('a rendered Compose project', () => {
  test("C18 C19 knows neither the worker's environment nor an .env of the checkout", async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    process.env.DEPLOY_SECRET = 'of the worker'
    t.after(() => delete process.env.DEPLOY_SECRET)
    const commit = await world.commit({
      'compose.yaml': simple(
        world,
        'command: [httpd, -f, -p, "8080"]\n    environment: ["A=x${DEPLOY_SECRET}", DEPLOY_SECRET, "B=${GIVEN}", "C=${FROM_FILE}"]',
      ),
      'other.yaml': 'services: { evil: { image: evil } }',
      '.env': 'COMPOSE_FILE=other.yaml\nCOMPOSE_PROJECT_NAME=other\nFROM_FILE=yes\n',
    })
    const {
      render: hash,
      services,
      warnings,
    } = await render(world, { commit, secrets: { GIVEN: 'sesame-$$-street$' } })
    deepEqual(Object.keys(services), ['web'])
    match(warnings.join(), /DEPLOY_SECRET/)
    await up(world, { render: hash })
    const config = JSON.parse(await mustRun('docker', ['inspect', `${world.app}-web-1`], world))[0].Config
    equal(config.Labels['com.docker.compose.project'], world.app)
    deepEqual(config.Env.filter((line: string) => /^(?:A|B|C|DEPLOY)/.test(line)).sort(), [
      'A=x',
      'B=sesame-$$-street$',
      'C=',
    ])
    ok(!JSON.stringify(world.said).includes('sesame'))
  })

  test('leaves nothing with values of secrets on the disk when it was asked for an answer only', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const commit = await world.commit({ 'compose.yaml': simple(world, 'environment: ["B=${GIVEN}"]') })
    const asked = { commit, secrets: { GIVEN: 'sesame-street' } }
    const kept = () =>
      mustRun('grep', ['-rl', 'sesame-street', world.hands.host.workspace], world).catch(() => '')
    const answer = await render(world, { ...asked, preview: true })
    equal(await kept(), '')
    equal((await render(world, asked)).render, answer.render)
    match(await kept(), /renders/)
  })

  test('C01 C07 is checked again after interpolation and merge', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const commit = await world.commit({
      'compose.yaml': simple(world, 'privileged: ${EVIL}\n    volumes: ["${WHERE}:/x"]'),
    })
    const failed = await failure(render(world, { commit, variables: { EVIL: 'true', WHERE: '/etc' } }))
    ok(COMPOSE_NOT_ALLOWED.matches(failed), String(failed))
    deepEqual(
      failed.problems?.map(({ path, file, line }) => `${file}:${line} ${path}`),
      ['compose.yaml:6 services.web.privileged', 'compose.yaml:7 services.web.volumes[0]'],
    )
  })

  test('C16 the rules hold in files that include and extends lead to', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const commit = await world.commit({
      'compose.yaml':
        'include: [sub/more.yaml]\nservices: { web: { extends: { file: base.yaml, service: web } } }',
      'base.yaml': simple(world, 'env_file: [../../outside.env]'),
      'sub/more.yaml': 'services: { more: { image: a, pid: host } }',
    })
    const failed = await failure(render(world, { commit }))
    deepEqual(failed.problems?.map(({ file, path }) => `${file} ${path}`).sort(), [
      'base.yaml services.web.env_file[0]',
      'sub/more.yaml services.more.pid',
    ])
  })

  test('that Compose does not accept is an error with file and line', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const commit = await world.commit({
      'compose.yaml': simple(world, 'depends_on: [nobody]'),
      'two.yaml': 'services: { web: { image: a, restart: [x] } }',
    })
    const failed = await failure(render(world, { commit }))
    ok(COMPOSE_INVALID.matches(failed), String(failed))
    equal(
      failed.message,
      'Compose does not accept compose.yaml:2: service "web" depends on undefined service "nobody"',
    )
    const other = await failure(render(world, { commit, files: ['two.yaml'] }))
    match(other.message, /two\.yaml:1: services\.web\.restart must be a string/)
    await rejects(render(world, { commit, files: ['none.yaml'] }), COMPOSE_FILE_MISSING.matches)
  })

  test('mounts files by their content: a commit that does not change them touches nothing', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const text = `${simple(world, 'command: [httpd, "-f", "-p", "8080", "-h", /w]\n    volumes: ["./site:/w"]\n    secrets: [token]')}
secrets: { token: { environment: TOKEN } }
`
    const deployFiles = async (files: Record<string, string>, token = 'hunter-two') => {
      const commit = await world.commit({ 'compose.yaml': text, ...files })
      const { render: hash } = await render(world, { commit, secrets: { TOKEN: token } })
      return up(world, { render: hash })
    }
    const first = await deployFiles({ 'site/index.html': 'one' })
    equal(await page(first.services[0]?.ip ?? ''), 'one')
    equal(
      await mustRun('docker', ['exec', `${world.app}-web-1`, 'cat', '/run/secrets/token'], world),
      'hunter-two',
    )
    await rejects(mustRun('docker', ['exec', `${world.app}-web-1`, 'touch', '/w/x'], world))
    deepEqual((await deployFiles({ README: 'something else' })).touched, [])
    const changed = await deployFiles({ 'site/index.html': 'two' })
    deepEqual([changed.touched, await page(changed.services[0]?.ip ?? '')], [['web'], 'two'])
    deepEqual((await deployFiles({}, 'hunter-three')).touched, ['web'])
    const failed = await failure(deploy(world, simple(world, 'volumes: ["./missing:/x"]')))
    match(failed.message, /POL015 services\.web\.volumes\[0\]: "missing" is not in the repository/)
  })

  test('a service name of another app does not answer in this one', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    await deploy(world, pair(world, 'one'))
    const other = `${world.app}-b`
    await deploy(world, simple(world, 'command: [httpd, -f, -p, "8080"]').replace('  web:', '  api:'), {
      project: other,
      routes: [{ service: 'api', port: 8080 }],
    })
    const asked = await mustRun(
      'docker',
      ['exec', `${world.app}-web-1`, 'sh', '-c', 'nslookup api; nslookup db; true'],
      world,
    )
    match(asked, /can't find api/)
    match(asked, /Name:\s+db/)
  })

  test('is asked of Compose once for the same input, and again when a file or variable changed', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const files = {
      'compose.yaml': `include: [sub/more.yaml]\n${simple(world, 'env_file: [{ path: a.env, required: false }]\n    volumes: ["./site:/w:ro"]')}`,
      'sub/more.yaml': `services: { more: { image: "${world.base}", labels: { a: "x\${A}" } } }`,
      'site/x': 'x',
    }
    const asksCompose = async (changes: Record<string, string>, variables: Record<string, string> = {}) => {
      const commit = await world.commit({ ...files, ...changes })
      const before = world.said.length
      const { services, render: hash } = await render(world, { commit, variables })
      const folder = join(world.hands.host.workspace, 'renders', world.app)
      const kept = (await mustRun('ls', [folder], world))
        .split('\n')
        .filter(name => name.startsWith('config-'))
      ok(!(await readFile(join(folder, `${hash}.json`), 'utf8')).includes('@checkout-'))
      return { services, kept: kept.length, said: world.said.slice(before) }
    }
    const first = await asksCompose({})
    const second = await asksCompose({ README: 'another commit' })
    deepEqual([first.kept, second.kept, second.services], [1, 1, first.services])
    deepEqual(second.said, first.said)
    equal((await asksCompose({ 'a.env': 'B=1' })).kept, 2)
    equal((await asksCompose({ 'sub/.env': 'A=1' })).kept, 3)
    equal((await asksCompose({}, { A: '2' })).kept, 4)
  })

  test('is kept where only the worker can read it', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const { render: hash } = await rendered(world, pair(world, 'one'))
    const folder = join(world.hands.host.workspace, 'renders', world.app)
    const listed = await mustRun('stat', ['--format=%a', folder, join(folder, `${hash}.json`)], world)
    equal(listed, '700\n600\n')
    ok((await readFile(join(folder, `${hash}.json`), 'utf8')).startsWith('{'))
  })
})
