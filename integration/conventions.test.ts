import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import type { StackList, WrittenStackDocument } from '#contract/rest/stacks.ts'
import { systemClock } from '#lib/clock.ts'
import { readExample } from './world/example.ts'
import { type SecondEngine, startSecondEngine } from './world/second-engine.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** The first process of a container ends by no other signal unless it asks for it. */
const ENDS_AT_ONCE = '--stop-signal=SIGKILL'
const INSTANCE = JSON.stringify({ enabled: true, parameters: [{ name: 'WORD', value: 'hello' }] })

describe('a repository of config as code', () => {
  const resources = new AsyncDisposableStack()
  let engine: SecondEngine
  let system: System
  let remote: Remote
  let code: Remote
  const client = () => system.together().client

  /** Looks at the repository now and gives how the deployments of the apps ended that this asked for. */
  async function look(known: readonly string[]): Promise<DeploymentDetail[]> {
    await client().send('PATCH', '/repositories/infra', { auto_apps: true })
    for (;;) {
      const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments')
      const news = items.filter(({ id }) => !known.includes(id))
      if (news.length > 0 && news.every(({ finished_at }) => finished_at !== null)) {
        return await Promise.all(
          news.toReversed().map(({ id }) => client().get<DeploymentDetail>(`/deployments/${id}`)),
        )
      }
      const { problem } = await client().get<RepositoryDocument>('/repositories/infra')
      equal(problem, null, JSON.stringify(problem))
      await systemClock.sleep(200)
    }
  }

  async function ids(): Promise<string[]> {
    const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments')
    return items.map(({ id }) => id)
  }

  async function pushed(files: Readonly<Record<string, string | null>>): Promise<string[]> {
    const known = await ids()
    await remote.push(files)
    return (await look(known)).map(each => `${each.app} ${each.kind} ${each.outcome ?? each.error?.message}`)
  }

  /** In the place of one of a public registry, which no test reaches: says at its port what database it is of. */
  async function fakeImage(name: string, port: number, program: string, script: string) {
    const lines = [
      `printf '#!/bin/sh\\n%s\\n' '${script}' > /bin/${program}`,
      `chmod 755 /bin/${program}`,
      'mkdir -p /site',
    ]
    const made = (
      await engine.docker('create', ENDS_AT_ONCE, system.baseImage, 'sh', '-ec', lines.join('\n'))
    ).trim()
    await engine.docker('start', '--attach', made)
    const serve = `echo "$POSTGRES_DB" > /site/index.html; touch /site/healthz; exec httpd -f -p ${port} -h /site`
    await engine.docker('commit', '--change', `CMD ${JSON.stringify(['sh', '-c', serve])}`, made, name)
    await engine.docker('rm', made)
  }

  async function exampleFiles(stack: string) {
    const files = await readExample(`stacks/${stack}`, system.baseImage)
    return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${stack}/${path}`, text]))
  }

  const services = async () => (await engine.docker('service', 'ls', '--format', '{{.Name}}')).trim()

  before(async () => {
    engine = await startSecondEngine(resources)
    await engine.docker('swarm', 'init', '--advertise-addr', engine.ip)
    system = await startSystem(resources, { dockerSocket: engine.socket })
    remote = await system.addRepository('infra', files(system.baseImage))
    code = await system.addRepository('code', farFiles(system.baseImage, 'first'))
    await Promise.all(['infra', 'code'].map(app => client().send('DELETE', `/apps/${app}`)))
  })
  after(() => resources.disposeAsync())

  test('R23 R24 R47 R49 gives its image and then the stack that runs it, without any file of Fairlead', async () => {
    // A tip that was seen before the apps were to be created is no news.
    await remote.push({ 'README.md': 'config as code' })
    const [image, stack, ...others] = await look([])
    deepEqual(others, [])
    deepEqual([image?.app, image?.outcome], ['image-web', 'deployed'], JSON.stringify(image?.error))
    deepEqual([stack?.app, stack?.outcome], ['my-site', 'deployed'], JSON.stringify(stack?.error))
    ok(Date.parse(stack?.started_at ?? '') >= Date.parse(image?.finished_at ?? ''))
    equal(await services(), 'my_site_web')
    const task = (await engine.docker('ps', '--quiet', '--filter', 'name=my_site_web')).trim()
    equal((await engine.docker('exec', task, 'cat', '/word')).trim(), 'from the image')
    match(await engine.docker('inspect', task, '--format', '{{json .Config.Env}}'), /"WORD=hello"/)
  })

  test('R52 R54 files that move, and files that are wrong, remove nothing', async () => {
    const moved = Object.fromEntries(
      Object.entries(files(system.baseImage)).flatMap(([path, text]) => [
        [path, null],
        [`elsewhere/${path}`, text],
      ]),
    )
    deepEqual(await pushed({ ...moved, 'stack-instance.none.broken.json': '{ "enabled": tru }' }), [
      'image-web deploy nothing-to-do',
      'my-site deploy nothing-to-do',
    ])
    equal(await services(), 'my_site_web')
    const { items } = await client().get<{ items: AppDocument[] }>('/apps')
    deepEqual(items.map(({ name }) => name).sort(), ['image-web', 'my-site'])
  })

  test('R49 "enabled": false removes the stack by a deployment of its own', async () => {
    const off = { 'elsewhere/live/simple-stack-instance.site.my_site.json': '{ "enabled": false }' }
    deepEqual(await pushed(off), [
      'image-web deploy nothing-to-do',
      'my-site deploy files-gone',
      'my-site remove removed',
    ])
    equal(await services(), '')
  })

  test('R51 R54 takes an image and a stack from another repository, follows both, and a rollback brings them back', async () => {
    const { url } = await client().get<RepositoryDocument>('/repositories/code')
    const before = await ids()
    await remote.push({
      // As long as it is wrong, it might be what takes the place of a stack whose file is gone.
      'stack-instance.none.broken.json': null,
      'far/repo.code.json': JSON.stringify({ url, credential: 'CODE' }),
      'far/image.remote-repo.far.json': JSON.stringify({ tag: 'config/far:1', repo: 'code' }),
      'far/simple-stack-instance.remote-repo.far.far.json': JSON.stringify({ enabled: true, repo: 'code' }),
    })
    const refused = (await look(before)).find(({ app }) => app === 'image-far')
    equal(refused?.error?.code, 'REMOTE_SECRET_MISSING', JSON.stringify(refused?.error))
    const seen = async () => {
      const task = (await engine.docker('ps', '--quiet', '--filter', 'name=far_web')).trim()
      const environment = await engine.docker('inspect', task, '--format', '{{json .Config.Env}}')
      return [
        (await engine.docker('exec', task, 'cat', '/word')).trim(),
        /"WORD=(\w+)"/.exec(environment)?.[1],
      ]
    }
    for (const app of ['image-far', 'far']) {
      await client().send('PUT', `/apps/${app}/secrets/CODE`, { value: 'test:a-password-of-the-test' })
      const { outcome, error } = await system.deploy(app)
      equal(outcome, 'deployed', JSON.stringify(error))
    }
    deepEqual(await seen(), ['first', 'first'])
    const known = await ids()
    const tip = await code.push(farFiles(system.baseImage, 'second'))
    const ended = await look(known)
    const stack = ended.find(({ app }) => app === 'far')
    deepEqual(
      [stack?.outcome, stack?.trigger.kind, stack?.trigger.by],
      ['deployed', 'poll', 'code'],
      JSON.stringify(stack),
    )
    const { repositories } = (stack?.evidence ?? {}) as { repositories: { name: string; commit: string }[] }
    deepEqual(
      repositories.map(({ name, commit }) => [name, commit]),
      [['code', tip]],
    )
    deepEqual(await seen(), ['second', 'second'])
    ok(!(await system.logOf(stack?.id ?? '')).includes('a-password-of-the-test'))
    const again = await ids()
    await code.push({ 'build/word': 'third\n' })
    const rebuilt = await look(again)
    deepEqual(
      rebuilt
        .map(each => `${each.app} ${each.outcome ?? each.error?.message}`)
        .filter(each => /far/.test(each)),
      ['image-far deployed', 'far deployed'],
    )
    deepEqual(await seen(), ['third', 'second'])
    const { id } = await client().send<{ id: string }>('POST', '/apps/far/rollback', { wait_seconds: 120 })
    equal((await client().get<DeploymentDetail>(`/deployments/${id}`)).outcome, 'rolled-back')
    deepEqual(await seen(), ['second', 'second'])
    const gone = ['repo.code', 'image.remote-repo.far', 'simple-stack-instance.remote-repo.far.far']
    const ends = await pushed(Object.fromEntries(gone.map(name => [`far/${name}.json`, null])))
    ok(ends.includes('far remove removed') && ends.includes('image-far remove removed'), ends.join('\n'))
  })

  test('R28 R29 R30 R31 a stack that is chosen over the API is a commit, and its push deploys, changes and removes it', async () => {
    const word = async () => {
      const task = (await engine.docker('ps', '--quiet', '--filter', 'name=second_web')).trim()
      const environment = await engine.docker('inspect', task, '--format', '{{json .Config.Env}}')
      return /"WORD=(\w+)"/.exec(environment)?.[1]
    }
    const written = async (send: () => Promise<WrittenStackDocument>) => {
      const known = await ids()
      const answer = await send()
      const ended = (await look(known)).filter(({ app }) => app === 'second')
      return { answer, ended: ended.map(each => `${each.kind} ${each.outcome ?? each.error?.message}`) }
    }
    const choice = { stackDefinition: 'site', stack: 'second' }
    const made = await written(() =>
      client().send('POST', '/stacks', { ...choice, options: { WORD: 'one' } }),
    )
    deepEqual(made.ended, ['deploy deployed'])
    equal(made.answer.file, 'elsewhere/conf/simple-stack-instance.site.second.json')
    equal(await word(), 'one')
    const { items } = await client().get<StackList>('/stacks')
    const second = items.find(({ stack }) => stack === 'second')
    deepEqual(
      [second?.app, second?.services[0]?.running, second?.config?.options],
      ['second', 1, { WORD: 'one' }],
    )
    const change = { options: { WORD: 'two' } }
    deepEqual((await written(() => client().send('PUT', '/stacks/second', change))).ended, [
      'deploy deployed',
    ])
    equal(await word(), 'two')
    const gone = await written(() => client().send('DELETE', '/stacks/second'))
    deepEqual(gone.ended, ['deploy files-gone', 'remove removed'])
    equal(await services(), '')
  })

  test('R29 R33 R87 examples/stacks/website is deployed as it is, and its page is replaced with the next push', async () => {
    // In the place of the image of the public registry: it serves the same files at the same port.
    const serve = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/usr/share/nginx/html"]'
    const made = (await engine.docker('create', ENDS_AT_ONCE, system.baseImage, 'true')).trim()
    await engine.docker('commit', '--change', serve, made, 'nginxinc/nginx-unprivileged:1.29-alpine')
    await engine.docker('rm', made)
    const page = async () => {
      const [task = ''] = (await engine.docker('ps', '--quiet', '--filter', 'name=docs_web'))
        .trim()
        .split('\n')
      return await engine.docker('exec', task, 'wget', '-q', '-O', '-', 'http://127.0.0.1:8080/')
    }
    const files = await exampleFiles('website')
    ok((await pushed(files)).includes('docs deploy deployed'))
    equal(await page(), files['website/index.html'])
    equal(
      (
        await engine.docker('service', 'ls', '--filter', 'name=docs_', '--format', '{{.Name}} {{.Replicas}}')
      ).trim(),
      'docs_web 2/2',
    )
    const again = await pushed({ 'website/index.html': 'another page' })
    ok(again.includes('docs deploy deployed'))
    equal(await page(), 'another page')
    const gone = Object.fromEntries(Object.keys(files).map(path => [path, null]))
    ok((await pushed(gone)).includes('docs remove removed'))
  })

  test('R54 a stack whose file gets another name takes over its port, and one that is no good leaves the old one alone', async () => {
    const instance = (name: string) => `gate/simple-stack-instance.gate.${name}.json`
    const compose = (more: string) => gate(system.baseImage, more)
    const first = await pushed({ 'gate/docker-compose.gate.yml': compose(''), [instance('one')]: INSTANCE })
    ok(first.includes('one deploy deployed'), first.join('\n'))
    const wrong = { [instance('one')]: null, [instance('two')]: INSTANCE }
    const bad = await pushed({ ...wrong, 'gate/docker-compose.gate.yml': compose('privileged: true') })
    ok(bad.includes('one deploy failed') && bad.includes('two deploy failed'), bad.join('\n'))
    const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments?app=one&limit=1')
    const { error } = await client().get<DeploymentDetail>(`/deployments/${items[0]?.id}`)
    equal(error?.code, 'APP_REMOVAL_WAITS', JSON.stringify(error))
    equal(await services(), 'one_web')
    const good = await pushed({ 'gate/docker-compose.gate.yml': compose('') })
    ok(good.includes('two deploy deployed') && good.includes('one remove removed'), good.join('\n'))
    equal(await services(), 'two_web')
  })

  // The last one: what it deploys goes with its engine.
  test('R33 R48 R87 examples/stacks/database and wiki are deployed as they are, with the secret that their option names', async () => {
    const { CLUB, WIKI } = { CLUB: 'of-the-club', WIKI: 'of-the-wiki' }
    // A deployment waits for health: these answer the very checks of the examples.
    await fakeImage('postgres:17-alpine', 5432, 'pg_isready', 'wget -q -O /dev/null http://127.0.0.1:5432/')
    await fakeImage('requarks/wiki:2.5', 3000, 'curl', 'for url; do :; done; wget -q -O /dev/null "$url"')
    const node = (await engine.docker('info', '--format', '{{.Name}}')).trim()
    const instance = (parameters: Readonly<Record<string, string>>) =>
      JSON.stringify({
        enabled: true,
        parameters: Object.entries({ ...parameters, NODE: node }).map(([name, value]) => ({ name, value })),
      })
    const before = await ids()
    await remote.push({
      ...(await exampleFiles('database')),
      ...(await exampleFiles('wiki')),
      'database/stack-instance.database.members.json': instance({
        ...{ DATABASE: 'club', DATABASE_PASSWORD: '$CLUB' },
      }),
      'wiki/stack-instance.wiki.pages.json': instance({
        ...{ DATABASE: 'pages', DATABASE_PASSWORD: '$WIKI', PORT: '20097' },
      }),
    })
    const early = (await look(before)).filter(({ app }) => ['members', 'pages'].includes(app))
    deepEqual(
      early.map(({ error }) => error?.code),
      ['COMPOSE_SECRET_MISSING', 'COMPOSE_SECRET_MISSING'],
    )
    for (const [app, name, value] of [
      ['members', 'CLUB', CLUB],
      ['pages', 'WIKI', WIKI],
    ] as const) {
      await client().send('PUT', `/apps/${app}/secrets/${name}`, { value })
      const { outcome, error } = await system.deploy(app)
      equal(outcome, 'deployed', JSON.stringify(error))
    }
    const inside = async (service: string, ...words: string[]) => {
      const task = (await engine.docker('ps', '--quiet', '--filter', `name=${service}`)).trim()
      return (await engine.docker('exec', task, ...words)).trim()
    }
    const password = ['cat', '/run/secrets/database_password']
    for (const [service, value] of [
      ...(['members_postgres', 'members_backup'] as const).map(name => [name, CLUB] as const),
      ...(['pages_postgres', 'pages_wiki'] as const).map(name => [name, WIKI] as const),
    ]) {
      equal(await inside(service, ...password), value)
    }
    // By the name that its settings say each finds the server of its own stack. Not at the address of the service, which
    // needs a module of the kernel that an engine of a test may lack.
    equal(await inside('pages_wiki', 'sh', '-c', 'wget -q -O - "http://tasks.$DB_HOST:$DB_PORT/"'), 'pages')
    equal(await inside('members_backup', 'sh', '-c', 'wget -q -O - "http://tasks.$PGHOST:5432/"'), 'club')
    match(await inside('members_backup', 'cat', '/proc/1/cmdline'), /backup\.sh/)
    const { items } = await client().get<StackList>('/stacks')
    deepEqual(
      items
        .filter(({ stack }) => ['members', 'pages'].includes(stack))
        .map(({ services }) => services.length),
      [2, 2],
    )
  })
})

/** One service with a port, which no other stack of the swarm can have. */
function gate(base: string, more: string): string {
  return [
    'services:',
    '  web:',
    `    image: ${base}`,
    '    init: true',
    '    command: ["sleep", "10000"]',
    '    stop_grace_period: 1s',
    '    ports: ["20099:8080"]',
    ...(more === '' ? [] : [`    ${more}`]),
    '',
  ].join('\n')
}

/** Of the other repository: the Docker files and the code. */
function farFiles(base: string, word: string): Readonly<Record<string, string>> {
  return {
    'build/Dockerfile.far': `FROM ${base}\nCOPY word /word\n`,
    'build/word': `${word}\n`,
    'run/docker-compose.far.yml': [
      'services:',
      '  web:',
      '    image: config/far:1',
      '    init: true',
      '    command: ["sleep", "10000"]',
      '    stop_grace_period: 1s',
      `    environment: ["WORD=${word}"]`,
      '',
    ].join('\n'),
  }
}

function files(base: string): Readonly<Record<string, string>> {
  return {
    'web/Dockerfile.web': `FROM ${base}\nCOPY word /word\n`,
    'web/word': 'from the image\n',
    'conf/image.web.json': JSON.stringify({ tag: 'config/web:1' }),
    'conf/docker-compose.site.yml': [
      'services:',
      '  web:',
      '    image: config/web:1',
      '    init: true',
      '    command: ["sleep", "10000"]',
      '    stop_grace_period: 1s',
      '    environment: ["WORD=$' + '{WORD}"]',
      '',
    ].join('\n'),
    'live/simple-stack-instance.site.my_site.json': INSTANCE,
  }
}
