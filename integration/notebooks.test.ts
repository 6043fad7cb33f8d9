import { deepEqual, doesNotMatch, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import type { Hands } from '#commands/command.ts'
import { imagePrune, imagePush } from '#commands/image.ts'
import { appendContent } from '#commands/notebook-append.ts'
import { notebookContent } from '#commands/notebook-content.ts'
import type { NotebookBase, NotebookWish } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { NOTEBOOK_FOLDER_MISSING, NOTEBOOK_REFUSED } from '#commands/notebook-errors.ts'
import { notebookExamine } from '#commands/notebook-examine.ts'
import { readyProject } from '#commands/notebook-look.ts'
import { notebookScan } from '#commands/notebook-scan.ts'
import type { Call } from '#exec/call.ts'
import { systemClock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { mustRun } from './world/command.ts'
import { docker } from './world/container-apps.ts'
import { type ContainerWorld, LOGIN, loginOf, startContainerWorld } from './world/container-world.ts'
import { ensureNotebookBase } from './world/notebook-base.ts'
import { ask, execute, untilServing } from './world/notebook-server.ts'

/** What pip 23.2 prints. */
const PIP = [
  'Looking in indexes: https://pypi.example.org/simple',
  'ERROR: Could not find a version that satisfies the requirement numpyy>=1.2 (from versions: none)',
  'ERROR: No matching distribution found for numpyy>=1.2',
]
const FOLDER = 'reports/churn'
/** Needs an environment of its own, though nothing of it needs the network. */
const PROJECT = {
  [`${FOLDER}/nb.yaml`]: 'build: { postBuild: { inputs: [models.lock] } }\n',
  [`${FOLDER}/models.lock`]: '1\n',
  [`${FOLDER}/postBuild`]: '#!/bin/sh\ncp models.lock /opt/nb-post-build/made\n',
  [`${FOLDER}/start`]: '#!/bin/sh\nexec "$@"\n',
  [`${FOLDER}/data/a.csv`]: 'a,b\n',
  [`${FOLDER}/analysis.ipynb`]: notebook('# Why they *leave*'),
  'other/x.ipynb': notebook('# Other'),
}

describe('a notebook project', () => {
  const stack = new AsyncDisposableStack()
  let world: ContainerWorld
  let registry: Registry
  let bases: NotebookBase[]
  /** Belong to no app, so nothing else finds them. */
  const environments = new Set<string>()

  before(async () => {
    world = await startContainerWorld(stack)
    registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
    stack.defer(registry.close)
    stack.defer(async () => {
      await docker(world, 'rmi', '--force', ...environments)
    })
    const reference = `${registry.address}/nb/base:1`
    await docker(world, 'tag', world.base, reference)
    const pushed = await imagePush.run(world.hands, { reference, registry: loginOf(registry) })
    bases = [{ name: 'small', reference: pushed.reference, pythons: ['3.11', '3.12', '3.13'], tools: [] }]
  })
  after(() => stack.disposeAsync())

  const wishOf = (commit: string, folder = FOLDER): NotebookWish => ({
    repository: 'shop',
    commit,
    folder,
    slug: world.app,
    bases,
    registry: loginOf(registry),
  })
  const filesOf = (image: string) =>
    docker(
      world,
      'run',
      '--rm',
      `--name=${world.app}-files`,
      image,
      'sh',
      '-c',
      'find . /opt/nb-post-build -exec stat -c "%u %g %a %n" {} + | sort; cat analysis.ipynb',
    )
  const make = async (wish: NotebookWish, hands: Hands = world.hands) => {
    const { environment, content } = await notebookExamine.run(hands, wish)
    ok(environment && content)
    const made = await notebookEnvironment.run(hands, { ...wish, key: environment.key })
    environments.add(made.reference)
    const image = await notebookContent.run(hands, { ...wish, key: content.key, environment: made })
    return { environment: made, content: image }
  }

  test('R6 R7 builds its environment once, and a change of a notebook appends a layer', async () => {
    const first = await world.commit(PROJECT)
    const seen = await notebookExamine.run(world.hands, wishOf(first))
    equal(seen.title, 'Why they leave')
    equal(seen.environment?.present, 'missing')
    equal(seen.content?.registry, 'missing')
    const made = await make(wishOf(first))
    deepEqual([made.environment.how, made.content.how], ['built', 'appended'])
    const edited = await world.commit({ [`${FOLDER}/analysis.ipynb`]: notebook('# Edited') })
    const before = world.calls.length
    const again = await make(wishOf(edited))
    deepEqual([again.environment.how, again.content.how], ['present', 'appended'])
    ok(!world.calls.slice(before).includes('image-build'))
    equal(again.environment.digest, made.environment.digest)
    notEqual(again.content.pinned, made.content.pinned)
    const shown = await docker(
      world,
      'run',
      '--rm',
      `--name=${world.app}-shown`,
      again.content.reference,
      'sh',
      '-c',
      'cat /opt/nb-post-build/made; stat -c "%u %g %a %n" . start data data/a.csv; cat analysis.ipynb; echo $NB_START_HOOK; id -u',
    )
    match(shown, /^1\n/)
    match(shown, /1000 1000 755 \.\n1000 1000 755 start\n1000 1000 755 data\n1000 1000 644 data\/a\.csv\n/)
    match(shown, /# Edited/)
    match(shown, /\/srv\/project\/start\n1000\n$/)
    const data = { ...wishOf(edited), key: '', environment: again.environment }
    const once = await appendContent(world.hands, data, await readyProject(world.hands, data))
    equal(again.content.pinned?.split('@')[1], once)
    const now = await notebookExamine.run(world.hands, wishOf(edited))
    equal(now.environment?.present, 'registry')
    equal(now.content?.pinned, again.content.pinned)
    const same = await world.commit({ [`${FOLDER}/URL.md`]: 'a link\n', 'other/x.ipynb': notebook('# 2') })
    deepEqual(await make(wishOf(same)), {
      environment: again.environment,
      content: { ...again.content, how: 'present' },
    })
  })

  test('is found among 200 by three questions to the mirror, and a change of one changes the keys of one', async t => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => `many/p${at}`).flatMap((folder, at) => [
        [`${folder}/nb.yaml`, ''],
        [`${folder}/analysis.ipynb`, notebook(`# ${at}`)],
        ...(at % 2 === 0 ? [[`${folder}/requirements.txt`, `pandas==2.${at % 10}.0\n`]] : []),
      ]),
    )
    const scan = (commit: string) =>
      notebookScan.run(world.hands, { repository: 'shop', commit, repositoryName: 'shop', bases })
    const first = await world.commit(many)
    const found = await scan(first)
    const changed = await world.commit({ 'many/p7/analysis.ipynb': notebook('# changed') })
    const calls = world.calls.length
    const asked = systemClock.monotonic()
    const now = await scan(changed)
    t.diagnostic(`notebook.scan of 200: ${(systemClock.monotonic() - asked).toFixed(1)} ms`)
    deepEqual(world.calls.slice(calls), ['program', 'program', 'program'])
    equal(now.projects.filter(({ folder }) => folder.startsWith('many/')).length, 200)
    const before = new Map(found.projects.map(project => [project.folder, project]))
    deepEqual(
      now.projects
        .filter(({ folder, content }) => before.get(folder)?.content !== content)
        .map(each => each.slug),
      ['many-p7'],
    )
    deepEqual(
      now.projects.map(each => each.environment),
      found.projects.map(each => each.environment),
    )
    ok(new Set(now.projects.map(each => each.environment)).size < 10)
  })

  test('R9 with a Dockerfile of its own serves whoever has the token, and kernels execute, without root or a disk to write to', async () => {
    const base = await ensureNotebookBase(world.folder)
    const commit = await world.commit({
      'own/nb.yaml': '',
      'own/Dockerfile': `FROM ${base}\nCOPY --chown=1000:1000 . /srv/project/\n`,
      'own/analysis.ipynb': notebook('# Own'),
      'own/numbers.txt': '6 7',
    })
    const { registry: _, ...wish } = wishOf(commit, 'own')
    const { environment, content } = await make(wish)
    deepEqual([environment.how, content.how, content.missing], ['built', 'built', undefined])
    const name = `${world.app}-serves`
    const isolated = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--user=1000:1000']
    const memory = [
      '--tmpfs=/tmp',
      '--tmpfs=/home/jovyan:uid=1000,gid=1000',
      '--tmpfs=/srv/work:uid=1000,gid=1000',
    ]
    await docker(world, 'run', '--detach', `--name=${name}-open`, ...isolated, ...memory, content.reference)
    equal(await docker(world, 'wait', `${name}-open`), '78\n')
    const token = randomBytes(32).toString('hex')
    await writeFile(join(world.folder, 'token'), `${token}\n`)
    await docker(
      world,
      'run',
      '--detach',
      `--name=${name}`,
      ...isolated,
      ...memory,
      `--volume=${join(world.folder, 'token')}:/run/secrets/jupyter_token:ro`,
      '--env=NB_ENTRY=analysis.ipynb',
      '--publish=127.0.0.1::8888',
      content.reference,
    )
    const address = (await docker(world, 'port', name, '8888')).trim()
    const [host = '', port] = address.split(':')
    const server = { host, port: Number(port), headers: { authorization: `token ${token}` } }
    await untilServing(server)
    const guessing = { ...server, headers: { authorization: 'token guessed' } }
    equal((await ask(guessing, '/api/contents')).status, 403)
    equal(
      await execute(server, 'a, b = open("/srv/project/numbers.txt").read().split()\nprint(int(a) * int(b))'),
      '42\n',
    )
    await docker(world, 'exec', name, 'nb-healthcheck')
    const first = await ask(server, '/')
    match(first.headers.location ?? '', /project\/analysis\.ipynb\??$/)
    doesNotMatch(await docker(world, 'logs', name), new RegExp(token))
    doesNotMatch(await docker(world, 'inspect', name), new RegExp(token))
  })

  test('is told what an image of its own lacks, and each step makes nothing that is there', async () => {
    const commit = await world.commit({ 'bare/nb.yaml': '', 'bare/Dockerfile': `FROM ${world.base}\n` })
    const { registry: _, ...wish } = wishOf(commit, 'bare')
    const { content } = await make(wish)
    equal(content.missing?.length, 3)
    const again = await make(wish)
    deepEqual([again.environment.how, again.content.how], ['present', 'present'])
  })

  /** Garbage as long as no container was made from it; and when it is gone, the next image gets it again. */
  const isMadeAgain = async (
    wish: NotebookWish,
    { environment, content }: Awaited<ReturnType<typeof make>>,
  ) => {
    const later = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 }
    const prune = async (more: { propose: true } | { only: string[] }) =>
      await imagePrune.run(
        { ...world.hands, clock: later },
        { app: world.app, keep: [content.reference], keepLast: 0, environments: true, ...more },
      )
    const isProposed = async () =>
      (await prune({ propose: true })).candidates?.some(({ take }) => take.includes(environment.reference))
    const name = `${world.app}-asleep`
    await docker(world, 'create', '--name', name, content.reference)
    equal(await isProposed(), false)
    await docker(world, 'rm', name)
    equal(await isProposed(), true)
    deepEqual((await prune({ only: [environment.reference] })).removed, [environment.reference])
    await docker(world, 'rmi', content.reference)
    const key = content.reference.slice(content.reference.lastIndexOf(':') + 1)
    const again = await notebookContent.run(world.hands, { ...wish, key, environment })
    equal(again.how, 'appended')
    ok(await docker(world, 'image', 'inspect', environment.reference))
  }

  test('without a registry, or in one that shares no layers, has the same files and no more is executed', async () => {
    const commit = await world.commit({ ...PROJECT, [`${FOLDER}/more.txt`]: 'more\n' })
    const { registry: _, ...wish } = wishOf(commit)
    const local = await make(wish)
    deepEqual([local.environment.how, local.content.how], ['built', 'appended'])
    equal(local.content.pinned, undefined)
    await isMadeAgain(wish, local)
    const sharing = world.hands.perform
    const selfish = <T>(call: Call<T>): Promise<T> =>
      call.kind === 'request' && call.query?.mount !== undefined
        ? Promise.resolve(call.read({ status: 202, headers: {}, trailers: {}, text: '', json: undefined }))
        : sharing(call)
    const sent = await make(wishOf(commit), { ...world.hands, perform: selfish })
    deepEqual([sent.environment.how, sent.content.how], ['present', 'appended'])
    ok(world.said.some(line => line.includes('shares no layers')))
    match(sent.content.pinned ?? '', /@sha256:/)
    equal(await filesOf(sent.content.reference), await filesOf(local.content.reference))
  })

  test('R10 of which pip does not find a requirement says which, and where it is asked for', async () => {
    const folder = join(world.folder, 'pip-base')
    await mkdir(folder)
    await writeFile(join(folder, 'pip'), `#!/bin/sh\nprintf '%s\\n' '${PIP.join("' '")}' >&2\nexit 1\n`)
    await writeFile(join(folder, 'Dockerfile'), `FROM ${world.base}\nCOPY pip /opt/env/bin/pip\n`)
    await mustRun('chmod', ['755', join(folder, 'pip')], { folder })
    const tag = `${registry.address}/nb/pip:1`
    await docker(world, 'build', '--quiet', '--tag', tag, folder)
    const { reference } = await imagePush.run(world.hands, { reference: tag, registry: loginOf(registry) })
    environments.add(tag)
    const commit = await world.commit({
      'wrong/nb.yaml': '',
      'wrong/requirements.txt': 'six\n\nnumpyy>=1.2\n',
    })
    const base: NotebookBase = { name: 'pip', reference, pythons: ['3.11'], tools: [] }
    const wish = { ...wishOf(commit, 'wrong'), bases: [base] }
    const { environment } = await notebookExamine.run(world.hands, wish)
    const made = notebookEnvironment.run(world.hands, { ...wish, key: environment?.key ?? '' })
    await rejects(made, (error: FairleadError) => {
      equal(error.code, 'NOTEBOOK_DEPENDENCY_REFUSED', error.message)
      equal(error.message, 'pip: no matching distribution for numpyy>=1.2')
      deepEqual([error.problems?.[0]?.file, error.problems?.[0]?.line], ['wrong/requirements.txt', 3])
      deepEqual(error.facts?.log, PIP)
      return true
    })
  })

  test('R6 in Julia has its packages installed before its files are there, on a base made as its Dockerfile says (a script stands in for Julia)', async () => {
    const kernel = '/opt/julia-depot/packages/IJulia/src/kernel.jl'
    const script = [
      '#!/bin/sh',
      'echo "$JULIA_CPU_TARGET|$*|$(ls /srv/project)" >> /opt/julia-depot/asked',
      `case "$*" in *pathof*) mkdir -p ${dirname(kernel)} && touch ${kernel} && printf ${kernel};; esac`,
    ].join('\n')
    const folder = join(world.folder, 'julia-base')
    await mkdir(folder)
    await writeFile(join(folder, 'julia'), script, { mode: 0o755 })
    const image = (name: string, dockerfile: string) =>
      writeFile(join(folder, 'Dockerfile'), dockerfile).then(() =>
        docker(world, 'build', '--quiet', '--tag', name, folder),
      )
    const [julia, small] = [`${registry.address}/nb/julia:1`, `${registry.address}/nb/small-julia:1`]
    const made = `${registry.address}/nb/julia-base:1`
    ;[julia, small, made].forEach(name => void environments.add(name))
    await image(julia, `FROM ${world.base}\nCOPY julia /usr/local/julia/bin/julia\n`)
    const base = await ensureNotebookBase(world.folder)
    const parts = join(PACKAGE_ROOT, 'notebooks', 'base')
    await docker(
      world,
      ...['build', '--quiet', '--file', join(parts, 'Dockerfile.julia'), '--tag', made],
      ...['--build-arg', `BASE=${base}`, '--build-arg', `JULIA=${julia}`, parts],
    )
    const told = 'cat /opt/env/share/jupyter/kernels/julia/kernel.json /opt/julia-depot/asked; id -u'
    const shown = await docker(
      world,
      ...['run', '--rm', `--name=${world.app}-julia`, '--entrypoint=sh', made, '-c', told],
    )
    const [spec = '', added, ...others] = shown.trim().split('\n')
    deepEqual(JSON.parse(spec).argv.slice(0, 4), ['/usr/local/bin/julia', '-i', '--color=yes', kernel])
    match(added ?? '', /^generic;.*\|-e using Pkg; Pkg\.add\(name = "IJulia", version = "[\d.]+"\)/)
    equal(others.at(-1), '1000')

    const owned = 'RUN mkdir -p /opt/julia-depot /opt/julia-env && chown -R 1000 /opt/julia-*'
    await image(
      small,
      `FROM ${world.base}\nCOPY julia /usr/local/bin/julia\nUSER 0\n${owned}\nUSER 1000:1000\n`,
    )
    const { reference } = await imagePush.run(world.hands, { reference: small, registry: loginOf(registry) })
    const commit = await world.commit({
      'jl/nb.yaml': '',
      'jl/Project.toml': '[deps]\nJSON = "682c06a0-de6a-54ab-a142-c8b1cf79cde6"\n',
      'jl/analysis.ipynb': notebook('# Julia'),
    })
    const wish = {
      ...wishOf(commit, 'jl'),
      bases: [{ name: 'julia', reference, pythons: ['3.11'], tools: [], julia: '1.11' }],
    }
    const { content } = await make(wish)
    const asked = await docker(
      world,
      ...['run', '--rm', `--name=${world.app}-jl`, content.reference, 'cat', '/opt/julia-depot/asked'],
    )
    match(asked, /\|--project=\/opt\/julia-env -e using Pkg; Pkg\.instantiate\(\); Pkg\.precompile\(\)\|\n$/)
  })

  test('with links out of it, submodules or a broken file has no image, and all reasons are told, pointers of Git LFS among them', async () => {
    const commit = await world.commit({
      'bad/nb.yaml': '',
      'bad/requirements.txt': 'pandas\n-r ../../secret.txt\n--index-url http://10.0.0.1/simple\n',
      'bad/data.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`,
      'bad/plain.bin': 'x'.repeat(130),
    })
    const wish = wishOf(commit, 'bad')
    const { problems, environment, warnings } = await notebookExamine.run(world.hands, wish)
    equal(environment, undefined)
    deepEqual(
      warnings.filter(({ code }) => code === 'LFS_POINTER').map(({ file }) => file),
      ['data.bin'],
    )
    ok(world.said.some(line => line.startsWith('bad/data.bin: It is a pointer of Git LFS')))
    ok(problems.length >= 2)
    equal(problems[0]?.file, 'requirements.txt')
    equal(problems[0]?.line, 2)
    const asked = { ...wish, key: `e-${'0'.repeat(24)}` }
    await rejects(notebookEnvironment.run(world.hands, asked), (error: FairleadError) => {
      ok(NOTEBOOK_REFUSED.matches(error))
      equal(error.problems?.[0]?.file, 'bad/requirements.txt')
      return true
    })
    await rejects(
      notebookExamine.run(world.hands, wishOf(commit, 'nowhere')),
      NOTEBOOK_FOLDER_MISSING.matches,
    )
  })
})

function notebook(text: string): string {
  return JSON.stringify({
    cells: [{ cell_type: 'markdown', metadata: {}, source: [text] }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  })
}
