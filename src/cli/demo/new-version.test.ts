import { deepEqual, equal, match } from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { makeNewVersion, withLabel, withVariable } from './new-version.ts'

test('a label is added at the end of the stage that is built', () => {
  const dockerfile = 'FROM a AS build\nRUN x\nFROM b as run\nCOPY --from=build x y\n'
  equal(withLabel(dockerfile), `${dockerfile}LABEL FAIRLEAD_DEMO=second\n`)
  equal(withLabel(dockerfile, 'run'), `${dockerfile}LABEL FAIRLEAD_DEMO=second\n`)
  match(withLabel(dockerfile, 'build'), /^FROM a AS build\nRUN x\nLABEL FAIRLEAD_DEMO=second\nFROM b/)
})

test('a variable is added to the routed services only, in the form that they have', () => {
  const compose = [
    'services:',
    '  web: # the page',
    '    image: a',
    '    environment: { MODE: x }',
    '  api:',
    '    image: b',
    '    environment: [MODE=x]',
    '    expose: ["80"]',
    '  db:',
    '    image: c',
  ].join('\n')
  const named = parse(withVariable(compose, ['web', 'api'])).services
  deepEqual(named.web.environment, { MODE: 'x', FAIRLEAD_DEMO: 'second' })
  deepEqual(named.api.environment, ['MODE=x', 'FAIRLEAD_DEMO=second'])
  equal(named.db.environment, undefined)
  match(withVariable(compose, ['web']), /# the page/)
  const open = parse(withVariable(compose)).services
  deepEqual([open.web.environment.FAIRLEAD_DEMO, open.api.environment.length], [undefined, 2])
})

test('an environment that is an alias is written out', () => {
  const compose = 'x-common: &common { MODE: x }\nservices: { web: { environment: *common } }\n'
  deepEqual(parse(withVariable(compose)).services.web.environment, { MODE: 'x', FAIRLEAD_DEMO: 'second' })
  deepEqual(parse(withVariable(compose))['x-common'], { MODE: 'x' })
})

test('the files that apps name are changed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-version-'))
  await writeFile(join(folder, 'Dockerfile.web'), 'FROM a\n')
  await writeFile(join(folder, 'stack.yml'), 'services: { web: { image: a } }\n')
  const changed = await makeNewVersion(folder, [
    { name: 'web', target: 'container', settings: { dockerfile: 'Dockerfile.web' } },
    { name: 'stack', target: 'compose', settings: { files: ['stack.yml'] } },
  ])
  equal(changed.length, 2)
  match(await readFile(join(folder, 'Dockerfile.web'), 'utf8'), /LABEL/)
  match(await readFile(join(folder, 'stack.yml'), 'utf8'), /FAIRLEAD_DEMO: second/)
  await rm(folder, { recursive: true })
})
