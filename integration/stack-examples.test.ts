import { deepEqual, equal, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conventionTexts } from '#deploy-file/convention-apps.ts'
import { readApps } from '#deploy-file/read-apps.ts'
import { readStacksAsCode, stackTexts } from '#deploy-file/stack-definitions.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { TARGETS } from '#targets/index.ts'
import { mustRun } from './world/command.ts'

const FOLDER = join(PACKAGE_ROOT, 'examples/stacks')
const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
const textOf = (path: string) => readFileSync(join(FOLDER, path), 'utf8')
const NEEDED: Readonly<Record<string, string>> = {
  ...{ PORT: '8099', DATABASE: 'club', NODE: 'attic' },
  DATABASE_PASSWORD: '$CLUB_PASSWORD',
}

/** What Compose makes of a stack that gives only the options that its definition requires. */
async function rendered(definition: string) {
  const all = readStacksAsCode(paths, Object.fromEntries(stackTexts(paths).map(path => [path, textOf(path)])))
  const found = all.definitions.find(each => each.name === definition && each.options.title !== undefined)
  ok(found)
  const parameters = (found.options.required ?? []).map(name => ({ name, value: NEEDED[name] ?? '' }))
  const kind = found.kind === 'definition' ? 'stack-instance' : 'simple-stack-instance'
  const file = `${kind}.${definition}.least.json`
  const tree = [...paths, file]
  const texts = Object.fromEntries(
    conventionTexts(tree).map(path => [
      path,
      path === file ? JSON.stringify({ enabled: true, parameters }) : textOf(path),
    ]),
  )
  const { apps, problems } = readApps({ paths: tree, texts, repositoryName: 'infra', targets: TARGETS })
  deepEqual(problems, [])
  const { files, environment } = apps.find(({ name }) => name === 'least')?.settings ?? {}
  const env = Object.fromEntries(
    Object.entries(environment as object).map(([name, value]) => [name, String(value)]),
  )
  const options = (files as readonly string[]).flatMap(path => ['--file', path])
  const args = ['compose', '--project-name', 'least', ...options, 'config', '--format', 'json']
  return JSON.parse(await mustRun('docker', args, { folder: FOLDER, env }))
}

test('R29 R33 with the required options alone Compose takes the website, with the defaults of its schema', async () => {
  const { services } = await rendered('website')
  equal(services.web.image, 'nginxinc/nginx-unprivileged:1.29-alpine')
  equal(services.web.deploy.replicas, 2)
  equal(services.web.ports[0].published, '8099')
})

test('R29 R33 R48 with the required options alone Compose takes the definitions of several files', async () => {
  const database = await rendered('database')
  deepEqual(Object.keys(database.services).sort(), ['backup', 'postgres'])
  equal(database.services.postgres.image, 'postgres:17-alpine')
  equal(database.services.backup.environment.KEEP_DAYS, '14')
  deepEqual(Object.keys((await rendered('wiki')).services).sort(), ['postgres', 'wiki'])
})
