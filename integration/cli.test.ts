import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { freeSubnet } from '#cli/demo/free-subnet.ts'
import { type GitServer, startGitServer } from '#cli/demo/git-server.ts'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import { removeFromEngine } from '#cli/demo/remove-from-engine.ts'
import { sendWebhook } from '#cli/demo/send-webhook.ts'
import { startTestIssuer } from '#manager/ci/test-issuer.ts'
import { runGithubExample, runGitlabExample } from './world/ci-job.ts'
import { mustRun } from './world/command.ts'
import { gitOverHttps, workingCopy } from './world/git-client.ts'
import { startGiteaFront } from './world/gitea-front.ts'
import { pushCommit, pushRepository } from './world/pushed-repository.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

const PROGRAM = join(import.meta.dirname, '../bin/fairlead')
const APP = `cli-${process.pid}`
const OWN = `${APP}-own`
const PARTS = `${APP}-parts`
const BASE = `fairlead-cli-${process.pid}/base:1`
const ACCOUNT = { username: 'ada', password: 'love/lace:1843' }
const MOST_UNATTENDED = 2

const world = new AsyncDisposableStack()
let folder = ''
let environment: Record<string, string> = {}
let gitServer: GitServer
let registry: Registry
let copy = ''
let gitEnvironment: Readonly<Record<string, string>> = {}
let up: ChildProcess
let said: { url: string; apps: string; manager_pid: number; worker_pid: number }

before(async () => {
  folder = await temporaryFolder(world)
  const network = `fairlead-cli-${process.pid}`
  world.defer(() => removeFromEngine({ network, apps: [APP, PARTS, OWN], images: [BASE, `fairlead/${APP}`] }))
  registry = await startRegistry({ folder: join(folder, 'registry'), ...ACCOUNT })
  world.defer(registry.close)
  world.defer(() => removeFromEngine({ network, images: [`${registry.address}/`] }))
  // As in the files of a person: relative to where they are, and everything by variables.
  await writeFile(join(folder, 'registry-ca.pem'), registry.ca)
  environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    FAIRLEAD_DATA: join(folder, 'data'),
    FAIRLEAD_NETWORK: network,
    FAIRLEAD_SUBNET: await freeSubnet(),
    FAIRLEAD_REGISTRY: registry.address,
    FAIRLEAD_REGISTRY_USERNAME: ACCOUNT.username,
    FAIRLEAD_REGISTRY_PASSWORD: ACCOUNT.password,
    FAIRLEAD_REGISTRY_CA_FILE: 'registry-ca.pem',
    // Not where a client would look by itself.
    FAIRLEAD_LISTEN: `127.0.0.2:${await freePort()}`,
    FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.org',
    FAIRLEAD_BASE_DOMAIN: 'cli.localhost',
    FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8',
    FAIRLEAD_WORKER_LISTEN: `127.0.0.1:${await freePort()}`,
    FAIRLEAD_MOST_UNATTENDED: String(MOST_UNATTENDED),
  }
  await ensureBaseImage({ name: BASE })
  gitServer = await startGitServer({ folder: join(folder, 'git'), ...ACCOUNT })
  world.defer(gitServer.close)
  await makeRepository()
  await startUp()
})
after(() => world.disposeAsync())

async function makeRepository(): Promise<void> {
  await gitServer.createRepository('site')
  gitEnvironment = await gitOverHttps(folder, gitServer.ca)
  copy = join(folder, 'copy')
  await workingCopy(copy, gitEnvironment, 0)
  await write('FROM scratch\n')
  await push()
}

async function write(dockerfile: string): Promise<void> {
  await writeFile(join(copy, 'Dockerfile'), dockerfile)
  await writeFile(join(copy, 'page'), 'first')
  await writeFile(
    join(copy, 'fairlead.yaml'),
    `version: 1\napps:\n  ${APP}:\n    target: container\n    drain: 0s\n`,
  )
}

async function push(): Promise<void> {
  await pushCommit({ gitServer, name: 'site', folder: copy, env: gitEnvironment })
}

async function startUp(): Promise<void> {
  const started = spawn(PROGRAM, ['up', '--worker-port', String(await freePort()), '--json'], {
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  up = started
  const closed = once(started, 'close')
  world.defer(async () => {
    started.kill('SIGTERM')
    await closed
  })
  const [line] = (await once(createInterface({ input: started.stdout }), 'line')) as [string]
  said = JSON.parse(line)
  environment.FAIRLEAD_MANAGER = said.url
}

async function fairlead(...words: (string | Record<string, string>)[]) {
  const env = Object.assign({ ...environment }, ...words.filter(word => typeof word === 'object'))
  const line = words.filter(word => typeof word === 'string')
  const child = spawn(PROGRAM, line, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, out, err }
}

/** Nobody says when: its repository is looked at by itself. */
async function untilThere(app: string): Promise<void> {
  for (let tries = 0; tries < 300 && (await fairlead('apps', 'show', app)).code !== 0; ) {
    tries += 1
  }
}

// Each test goes on where the one before ended.
describe('the command line with a manager and a worker of "up"', () => {
  test('hosts shows the worker, enrolled and online', async () => {
    const { items } = JSON.parse((await fairlead('hosts', '--json')).out)
    deepEqual(
      items.map((host: { role: string; online: boolean }) => [host.role, host.online]),
      [['worker', true]],
    )
  })

  test('an empty list says so', async () => {
    equal((await fairlead('apps')).out, 'none yet\n')
  })

  test('up takes from the environment what its options say, and an option wins', async () => {
    equal(said.url, `http://${environment.FAIRLEAD_LISTEN}`)
    match(said.apps, /^http:\/\/<app>\.cli\.localhost(:\d+)?$/)
    const { items } = JSON.parse((await fairlead('hosts', '--json')).out)
    equal(items[0].address === environment.FAIRLEAD_WORKER_LISTEN, false)
  })

  test('the worker is not given the password of the registry, the manager is', async () => {
    const given = (pid: number) => readFile(`/proc/${pid}/environ`, 'utf8')
    match(await given(said.manager_pid), /FAIRLEAD_REGISTRY_PASSWORD=love/)
    const worker = await given(said.worker_pid)
    match(worker, /FAIRLEAD_SUBNET=/)
    equal(/love|flt_/.test(worker), false)
  })

  test('up with a value that the manager refuses says so in its words', async () => {
    const port = String(await freePort())
    const { code, err } = await fairlead('up', '--port', port, '--worker-port', port, '--data', 'wrong', {
      FAIRLEAD_CONCURRENCY: 'many',
    })
    equal(code, 78)
    match(err, /^error: The manager did not start: .*FAIRLEAD_CONCURRENCY is "many"; expected a whole/)
    equal(err.includes('{'), false)
  })

  test('a second "up" beside the first is refused, with a hint', async () => {
    const { code, err } = await fairlead('up')
    equal(code, 78)
    match(err, /^error: 127\.0\.0\.2:/)
    match(err, /is taken[\s\S]*hint: Is "\S*fairlead up" running already\?/)
  })

  test('repositories add asks for the password on standard input or in a file, and never shows it', async () => {
    await writeFile(join(folder, 'password'), `${ACCOUNT.password}\n`)
    const login = ['--username', ACCOUNT.username, '--password-file', 'password', '--ca', 'ca.pem']
    const added = await fairlead(
      'repositories',
      'add',
      'site',
      gitServer.url('site'),
      ...login,
      '--poll',
      '0',
      '--no-auto-apps',
    )
    equal(added.code, 0, added.err)
    const listed = await fairlead('repositories', 'list', '--json')
    equal(`${added.out}${listed.out}`.includes(ACCOUNT.password), false)
    const checked = await fairlead('repositories', 'check', 'site')
    equal(checked.code, 0, checked.err)
    match(checked.out, new RegExp(`^${APP} +container$`, 'm'))
    equal((await fairlead('apps', 'add', APP, '--repository', 'site')).code, 0)
    const hook = await fairlead('repositories', 'webhook', 'site')
    match(hook.out, /^Address: +https:\/\/fairlead\.example\.org\/.+$/m)
  })

  test('L01 deploy --wait of what does not build: exit code 1, step, reason, hint and the last lines, inert', async () => {
    await write(`FROM ${BASE}\nRUN printf '\\033[2J\\033]0;owned\\007told before it failed\\n' && false\n`)
    await push()
    const { code, out, err } = await fairlead('deploy', '--wait')
    equal(code, 1)
    match(err, /^ {2}build {5}failed/m)
    match(err, /failed in build\n {2}reason: .*\n {2}hint: .*\n {2}the last lines of build:\n/)
    match(err, /^ {2}\| .*told before it failed$/m)
    equal(/[\0-\x09\x0b-\x1f]/.test(out + err), false)
  })

  test('plan says what would be done, deploy --wait does it, and then there is nothing to do', async () => {
    await write(
      `FROM ${BASE}\nCOPY page /www/index.html\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    )
    await push()
    const planned = await fairlead('plan', APP)
    equal(planned.code, 0, planned.err)
    match(planned.out, /^ {2}\+ add +/m)
    match(planned.out, /^ {2}~ build +/m)
    const hashes = await Promise.all(
      [1, 2].map(async () => JSON.parse((await fairlead('plan', APP, '--json')).out).hash),
    )
    match(hashes[0], /^[0-9a-f]{64}$/)
    equal(hashes[0], hashes[1], 'the same plan has the same hash')
    const deployed = await fairlead('deploy', APP, '--wait')
    equal(deployed.code, 0, deployed.err)
    match(deployed.out, new RegExp(`^${APP}: deployed in `))
    match(deployed.out, new RegExp(`^ {2}${APP}\\.cli\\.localhost answers: http 200, https 200$`, 'm'))
    // Below its folder, the registry keeps one for each image that was pushed.
    const pushed = await readdir(join(folder, 'registry/images/docker/registry/v2/repositories'), {
      recursive: true,
    })
    ok(
      pushed.some(path => path.endsWith(`${APP}/_manifests`)),
      pushed.join('\n'),
    )
    match((await fairlead('plan', APP)).out, /No change:/)
    const again = JSON.parse((await fairlead('deploy', APP, '--wait', '--json')).out)
    deepEqual([again.state, again.outcome], ['succeeded', 'nothing-to-do'])
  })

  test('R4 the examples for CI jobs deploy by the name of the project, with nothing but the ID token of the job', async () => {
    const issuer = await startTestIssuer()
    world.defer(issuer.close)
    const project = `acme/${APP}`
    const claims = { project_path: project, repository: project, ref: 'main', ref_type: 'branch', sub: 'job' }
    const rules = ['--claim', `project_path=${claims.project_path}`, '--claim', 'ref=main']
    const trusted = await fairlead('trusts', 'add', 'ci', '--app', APP, '--issuer', issuer.url, ...rules)
    equal(trusted.code, 0, trusted.err)
    const commit = (await mustRun('git', ['rev-parse', 'HEAD'], { folder: copy })).trim()
    const job = { folder, manager: said.url, app: APP, commit, issuer, claims }
    const gitlab = await runGitlabExample(job)
    equal(gitlab.code, 0, gitlab.err)
    match(gitlab.out, new RegExp(`^${APP}: nothing-to-do `, 'm'))
    match(gitlab.err, /\x1b\[0Ksection_start:\d+:fairlead_checkout/)
    const {
      ends: [github, last],
      summary,
    } = await runGithubExample(world, job)
    equal(github?.code, 0, github?.err ?? 'no step ran')
    match(github?.err ?? '', /^::group::checkout$/m)
    match(last?.out ?? '', /^nothing-to-do at /)
    match(summary, new RegExp(`^### Fairlead: ${APP} `))
    const stranger = await runGitlabExample({ ...job, claims: { ...claims, ref: 'mine' } })
    equal(stranger.code, 6)
    match(stranger.err, /No trust allows this CI job to deploy\. Its token says: .*ref=mine/)
    match((await fairlead('trusts')).out, new RegExp(`^ci +${APP} .*ref=main`, 'm'))
  })

  test('logs shows a deployment by step, and what the app prints', async () => {
    const log = await fairlead('logs', '--deployment', APP, '-f')
    equal(log.code, 0)
    match(log.out, /^checkout {2}/m)
    const lines = (await fairlead('logs', '-d', APP, '--json')).out.trim().split('\n')
    ok(lines.every(line => typeof JSON.parse(line).text === 'string'))
    equal((await fairlead('logs', APP)).code, 0)
  })

  test('secrets are set from standard input and files, listed by name, and removed', async () => {
    await writeFile(join(folder, 'value'), 'canary-4711\n')
    equal((await fairlead('secrets', 'set', APP, 'API_KEY', '--file', 'value')).code, 0)
    const listed = await fairlead('secrets', 'list', APP)
    match(listed.out, /^API_KEY +1 /m)
    equal(listed.out.includes('canary'), false)
    equal((await fairlead('secrets', 'remove', APP, 'API_KEY')).code, 0)
    equal((await fairlead('secrets', 'remove', APP, 'API_KEY')).code, 1)
  })

  test('G26 a pipeline that commits after each deployment is stopped: its app is paused until a person resumes it', async () => {
    const made = await fairlead(
      'repositories',
      'webhook',
      'site',
      '--git-host',
      'github',
      '--revoke-old',
      '--json',
    )
    equal(made.code, 0, made.err)
    const { url, secret } = JSON.parse(made.out) as { url: string; secret: string }
    const hook = { url: new URL(new URL(url).pathname, said.url).href, secret }
    const commitAndTell = async (commit: number) => {
      await writeFile(join(copy, 'page'), `after ${commit} deployments`)
      await push()
      const after = (await mustRun('git', ['rev-parse', 'HEAD'], { folder: copy })).trim()
      const [id = ''] = await sendWebhook(hook, { ref: 'refs/heads/main', before: '0'.repeat(40), after })
      return { id, after }
    }
    for (let commits = 0; commits < MOST_UNATTENDED; commits += 1) {
      const { id } = await commitAndTell(commits)
      equal((await fairlead('logs', id, '-f')).code, 0)
    }
    const held = await commitAndTell(MOST_UNATTENDED)
    const shown = async () => JSON.parse((await fairlead('apps', 'show', APP, '--json')).out)
    for (let tries = 0; tries < 300 && (await shown()).app.paused === null; ) {
      tries += 1
    }
    match((await fairlead('apps', 'show', APP)).out, /PAUSED: .*; end it with "\S*fairlead apps resume /)
    match(
      (await fairlead('logs', held.id)).out,
      /is paused: .*This deployment waits for "\S*fairlead apps resume /,
    )
    const before = (await shown()).releases[0].commit
    equal(before === held.after, false)
    equal((await fairlead('apps', 'resume', APP)).code, 0)
    equal((await fairlead('logs', held.id, '-f')).code, 0)
    const after = await shown()
    deepEqual([after.app.paused, after.releases[0].commit], [null, held.after])
  })

  test('approve lets a deployment go on that waits with its plan', async () => {
    equal((await fairlead('apps', 'set', APP)).code, 2)
    equal((await fairlead('apps', 'set', APP, '--approval', 'required')).code, 0)
    equal((await fairlead('approve', APP)).code, 1)
    await writeFile(join(copy, 'page'), 'second')
    await push()
    const waiting = await fairlead('deploy', APP, '--wait')
    equal(waiting.code, 5, waiting.err)
    match(waiting.out, /^ {2}~ image +.* → will be built$/m)
    match(waiting.out, /^It waits for an approval: "\S*fairlead approve /m)
    match((await fairlead('status')).out, new RegExp(`^${APP} waits for an approval: `, 'm'))
    const unasked = await fairlead('approve', APP)
    equal(unasked.code, 1)
    match(unasked.err, /Nothing was approved/)
    equal((await fairlead('approve', APP, '--hash', '0'.repeat(12), '--yes')).code, 1)
    const approved = await fairlead('approve', APP, '--yes', '--wait')
    equal(approved.code, 0, approved.err)
    match(approved.out, new RegExp(`^${APP}: deployed in `, 'm'))
  })

  test('rollback brings the release before back', async () => {
    const { out, code } = await fairlead('rollback', APP, '--wait', '--json')
    equal(code, 0, out)
    const { items } = JSON.parse((await fairlead('apps', 'list', '--json')).out)
    equal(items[0].release.commit, JSON.parse(out).commit)
    const shown = JSON.parse((await fairlead('apps', 'show', APP, '--json')).out)
    equal(shown.releases[2].commit, shown.releases[0].commit)
  })

  test('what is not there is told with exit code 1, a name that cannot be one with 2', async () => {
    equal((await fairlead('apps', 'show', 'nothing')).code, 1)
    equal((await fairlead('deploy', 'No_App')).code, 2)
    environment.FAIRLEAD_TOKEN = 'flt_wrong'
    equal((await fairlead('status')).code, 6)
    delete environment.FAIRLEAD_TOKEN
    equal((await fairlead('status')).code, 0)
  })

  test('R65 R68 G11 a Compose file anywhere in a repository without any file of Fairlead is deployed, a link to one is not', async () => {
    const build = `FROM ${BASE}\nRUN mkdir /www && echo parts >/www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`
    const compose = 'services: { web: { build: ., expose: ["8080"], stop_grace_period: 1s } }\n'
    await mkdir(join(folder, 'parts'))
    await symlink('services/web/compose.yaml', join(folder, 'parts/link.yaml'))
    await pushRepository(
      { gitServer, name: 'parts', folder: join(folder, 'parts'), env: gitEnvironment },
      { 'services/web/Dockerfile': build, 'services/web/compose.yaml': compose },
    )
    const login = ['--username', ACCOUNT.username, '--password-file', 'password', '--ca', 'ca.pem']
    const add = (name: string, path: string, ...more: string[]) =>
      fairlead('repositories', 'add', name, gitServer.url('parts'), ...login, '--compose-path', path, ...more)
    equal((await add('link', 'link.yaml', '--no-auto-apps')).code, 0)
    const refused = await fairlead('repositories', 'check', 'link')
    equal(refused.code, 3)
    match(refused.err, /link\.yaml is a symbolic link/)
    equal((await add(PARTS, 'services/web/compose.yaml')).code, 0)
    await untilThere(PARTS)
    const deployed = await fairlead('deploy', PARTS, '--wait')
    equal(deployed.code, 0, deployed.err)
    match((await fairlead('apps')).out, new RegExp(`^${PARTS} +compose .* ${PARTS}\\.cli\\.localhost`, 'm'))
    equal((await fairlead('apps', 'remove', PARTS, '--wait')).code, 0)
  })

  test('R65 R67 G09 an organisation on the list has its marked repositories deployed, and nothing that took their names', async () => {
    const gitea = await startGiteaFront(folder, gitServer)
    world.defer(gitea.close)
    await writeFile(join(folder, 'gitea-token'), gitea.token)
    gitea.organisations.set('acme', 1)
    gitea.repositories.set(`acme/${OWN}`, { id: 10, topics: ['fairlead'] })
    gitea.repositories.set('acme/other', { id: 11, topics: [] })
    const build = `FROM ${BASE}\nRUN mkdir /www && echo own >/www/index.html\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`
    const own = { gitServer, name: `acme/${OWN}`, folder: join(folder, 'own'), env: gitEnvironment }
    await pushRepository(own, { Dockerfile: build })
    const where = ['--git-host', 'gitea', '--server', gitea.server, '--ca', gitea.caFile]
    const added = await fairlead(
      'organisations',
      'add',
      'acme',
      ...where,
      '--git-token-file',
      'gitea-token',
      '--discover',
    )
    equal(added.code, 0, added.err)
    const found = await fairlead('organisations', 'check', 'acme')
    match(found.out, new RegExp(`^acme/${OWN} +(registered|known) +${OWN}$`, 'm'))
    match(found.out, /^acme\/other +not-marked/m)
    const evil = await fairlead('repositories', 'add', 'evil', `https://${gitea.server}/evil/x.git`)
    equal(evil.code, 6, evil.err)
    match(
      evil.err,
      /Repositories of "evil" at .* may not be deployed here[\s\S]*hint: Only listed organisations/,
    )
    await untilThere(OWN)
    const deployed = await fairlead('deploy', OWN, '--wait')
    equal(deployed.code, 0, deployed.err)
    gitea.repositories.set(`acme/${OWN}`, { id: 666, topics: ['fairlead'] })
    const refused = await fairlead('deploy', OWN, '--wait')
    equal(refused.code, 1)
    match(refused.err, /is not in the organisation "acme" any more/)
    match((await fairlead('repositories')).out, new RegExp(`^${OWN} .* paused: The repository `, 'm'))
    match((await fairlead('apps')).out, new RegExp(`^${OWN} +container .* ${OWN}\\.cli\\.localhost`, 'm'))
    equal((await fairlead('apps', 'remove', OWN, '--wait')).code, 0)
    equal((await fairlead('organisations', 'remove', 'acme')).code, 0)
  })

  test('apps remove --wait takes down what runs', async () => {
    const { code, out, err } = await fairlead('apps', 'remove', APP, '--wait', '--json')
    equal(code, 0, err)
    const { id } = JSON.parse(out)
    const { deployments } = JSON.parse((await fairlead('status', '--json')).out)
    deepEqual([deployments[0].id, deployments[0].state, deployments[0].outcome], [id, 'succeeded', 'removed'])
    equal((await fairlead('logs', id)).code, 0)
    equal((await fairlead('apps', 'show', APP)).code, 1)
    const left = await mustRun(
      'docker',
      ['ps', '--all', '--quiet', '--filter', `label=io.fairlead.app=${APP}`],
      { folder },
    )
    equal(left, '')
    equal((await fairlead('repositories', 'remove', 'site')).code, 0)
  })

  test('SIGTERM ends "up" and its parts', async () => {
    const closed = once(up, 'close')
    up.kill('SIGTERM')
    deepEqual(await closed, [0, null])
    equal((await fairlead('status')).code, 4)
  })
})
