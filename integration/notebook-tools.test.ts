import { deepEqual } from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRegistry } from '#cli/demo/registry.ts'
import { imagePush } from '#commands/image.ts'
import { notebookContent } from '#commands/notebook-content.ts'
import type { NotebookWish } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { notebookExamine } from '#commands/notebook-examine.ts'
import { contentFiles, dependencyFiles, projectFolder } from '#commands/notebook-files.ts'
import { readyProject } from '#commands/notebook-look.ts'
import { tarOfFiles } from '#exec/packed-files.ts'
import { renderRecipe } from '#recipes/render-recipe.ts'
import { mustRun } from './world/command.ts'
import { docker } from './world/container-apps.ts'
import { type ContainerWorld, LOGIN, loginOf, startContainerWorld } from './world/container-world.ts'

/** Notes how it was called, by whom, and what of the project was there. */
const TOOL =
  '#!/bin/sh\necho "$0 $(id -u) $* | $(echo $(ls /tmp/nb-deps 2>/dev/null)) | $(echo $(ls /srv/project))" >> /srv/asked\n'
const TOOLS = [
  ...['/usr/bin/apt-get', '/usr/bin/uv', '/usr/bin/micromamba'],
  ...['/opt/env/bin/pip', '/opt/env-conda/bin/pip'],
]
const POST_BUILD = '#!/bin/sh\necho "postBuild $(id -u) | | $(echo $(ls))" >> /srv/asked\n'
const PIP = 'install --no-input -r /tmp/nb-deps/requirements.txt | requirements.txt |'
const APT = '-y -qq --no-install-recommends'
const PIPFILE_LOCK = '{"_meta":{},"default":{"six":{"version":"==1.17.0"}},"develop":{}}'

/** By the file that decides: what lies beside the notebook, how its content is made, and what was called in which order. */
const PROJECTS: Readonly<
  Record<string, readonly [Readonly<Record<string, string>>, string, readonly string[]]>
> = {
  conda: [
    { 'environment.yml': 'dependencies: [numpy, {pip: [six]}]\n', 'apt.txt': 'jq\nbc\n' },
    'appended',
    [
      '/usr/bin/apt-get 0 update -qq | |',
      `/usr/bin/apt-get 0 install ${APT} bc jq | |`,
      '/usr/bin/micromamba 1000 create -y -p /opt/env-conda -f /tmp/nb-deps/environment.yml | environment.yml |',
      `/opt/env-conda/bin/pip 1000 ${PIP}`,
    ],
  ],
  uv: [
    { 'uv.lock': 'version = 1\n', 'pyproject.toml': '[project]\nname = "x"\nversion = "1"\n' },
    'appended',
    [
      '/usr/bin/uv 1000 sync --locked --no-dev --inexact --no-install-project --no-install-workspace --project /tmp/nb-deps | pyproject.toml uv.lock |',
    ],
  ],
  pipfile: [{ 'Pipfile.lock': PIPFILE_LOCK }, 'appended', [`/opt/env/bin/pip 1000 ${PIP}`]],
  late: [
    { 'requirements.txt': 'six\n-e .\n', 'setup.py': '', postBuild: POST_BUILD },
    'built',
    [
      `/opt/env/bin/pip 1000 ${PIP}`,
      '/opt/env/bin/pip 1000 install --no-input --no-deps -e . | | a.ipynb nb.yaml postBuild requirements.txt setup.py',
      'postBuild 1000 | | a.ipynb nb.yaml postBuild requirements.txt setup.py',
    ],
  ],
}

test('R6 recipes for conda, uv, a Pipfile and apt.txt run their tools early and as whom they should, postBuild when the files are there, with BuildKit and without (scripts stand in for the tools)', async () => {
  await using stack = new AsyncDisposableStack()
  const world = await startContainerWorld(stack)
  const registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
  stack.defer(registry.close)
  const folder = join(world.folder, 'tools-base')
  await mkdir(folder)
  await writeFile(join(folder, 'tool'), TOOL, { mode: 0o755 })
  // Docker asks for the groups of root.
  await writeFile(join(folder, 'group'), 'root:x:0:\n')
  const owned = 'mkdir -p /srv/project && chown 1000 /srv/project && touch /srv/asked && chmod 666 /srv/asked'
  const copies = TOOLS.map(place => `COPY tool ${place}`).join('\n')
  await writeFile(
    join(folder, 'Dockerfile'),
    `FROM ${world.base}\nCOPY group /etc/group\n${copies}\nRUN ${owned}\n`,
  )
  const tag = `${registry.address}/nb/tools:1`
  await docker(world, 'build', '--quiet', '--tag', tag, folder)
  const made = [tag]
  stack.defer(async () => {
    await docker(world, 'rmi', '--force', ...made)
  })
  const { reference } = await imagePush.run(world.hands, { reference: tag, registry: loginOf(registry) })
  for (const [name, [files, how, calls]] of Object.entries(PROJECTS)) {
    const commit = await world.commit(
      Object.fromEntries(
        Object.entries({ ...files, 'nb.yaml': '', 'a.ipynb': '{"cells":[]}' }).map(([path, text]) => [
          `${name}/${path}`,
          text,
        ]),
      ),
    )
    const wish: NotebookWish = {
      ...{ repository: 'shop', commit, folder: name, slug: world.app, registry: loginOf(registry) },
      bases: [{ name: 'tools', reference, pythons: ['3.12'], tools: ['uv', 'micromamba'] }],
    }
    const { environment, content } = await notebookExamine.run(world.hands, wish)
    const key = environment?.key ?? ''
    const image = await notebookEnvironment.run(world.hands, { ...wish, key })
    made.push(image.reference)
    const key2 = content?.key ?? ''
    const whole = await notebookContent.run(world.hands, { ...wish, key: key2, environment: image })
    deepEqual([name, whole.how, await asked(world, whole.reference)], [name, how, calls])
    const classic = await buildClassic(world, wish)
    made.push(classic)
    deepEqual([name, await asked(world, classic)], [name, calls], 'the builder without BuildKit')
  }
})

/** What the tools noted while the image was made. */
async function asked(world: ContainerWorld, image: string): Promise<string[]> {
  const noted = await docker(world, 'run', '--rm', `--name=${world.app}-asked`, image, 'cat', '/srv/asked')
  return noted
    .trim()
    .split('\n')
    .map(line => line.trim().replace(/ +/g, ' '))
}

/** Environment and content in one, by the text for the builder without BuildKit. */
async function buildClassic(world: ContainerWorld, wish: NotebookWish): Promise<string> {
  const ready = await readyProject(world.hands, wish)
  const folder = await projectFolder(world.hands, wish)
  const context = join(world.folder, 'classic.tar')
  const files = [
    { path: 'Dockerfile', text: renderRecipe(ready.recipe, 'classic') },
    ...dependencyFiles(ready, folder),
    ...contentFiles(ready, folder, 'src'),
  ]
  await writeFile(context, tarOfFiles(files, 0))
  const tag = `${world.app}-classic-${wish.folder}`
  const build = ['-c', 'exec docker build --quiet --tag "$1" - < "$2"', 'sh', tag, context]
  await mustRun('sh', build, { folder: world.folder, env: { DOCKER_BUILDKIT: '0' } })
  return tag
}
