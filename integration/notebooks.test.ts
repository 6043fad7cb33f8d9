import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import { imagePush } from '#commands/image.ts'
import { notebookContent } from '#commands/notebook-content.ts'
import type { NotebookBase, NotebookWish } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { notebookExamine } from '#commands/notebook-examine.ts'
import { docker } from './world/container-apps.ts'
import { type ContainerWorld, LOGIN, loginOf, startContainerWorld } from './world/container-world.ts'

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

  before(async () => {
    world = await startContainerWorld(stack)
    registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
    stack.defer(registry.close)
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
  const make = async (wish: NotebookWish) => {
    const { environment, content } = await notebookExamine.run(world.hands, wish)
    ok(environment && content)
    const made = await notebookEnvironment.run(world.hands, { ...wish, key: environment.key })
    const image = await notebookContent.run(world.hands, { ...wish, key: content.key, environment: made })
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
    const now = await notebookExamine.run(world.hands, wishOf(edited))
    equal(now.environment?.present, 'registry')
    equal(now.content?.pinned, again.content.pinned)
    const same = await world.commit({ [`${FOLDER}/URL.md`]: 'a link\n', 'other/x.ipynb': notebook('# 2') })
    deepEqual(await make(wishOf(same)), {
      environment: again.environment,
      content: { ...again.content, how: 'present' },
    })
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
