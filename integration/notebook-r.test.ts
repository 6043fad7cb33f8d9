import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startRegistry } from '#cli/demo/registry.ts'
import { imagePush } from '#commands/image.ts'
import type { NotebookWish } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { notebookExamine } from '#commands/notebook-examine.ts'
import type { FairleadError } from '#lib/errors.ts'
import { docker } from './world/container-apps.ts'
import { LOGIN, loginOf, startContainerWorld } from './world/container-world.ts'
import { ensureRBase } from './world/notebook-base.ts'
import { ask, execute, untilServing } from './world/notebook-server.ts'

const isAsked = process.env.FAIRLEAD_TEST_R === '1'
const skip = isAsked
  ? false
  : 'NOT RUN: R has 200 MB of packages to fetch and unpack; FAIRLEAD_TEST_R=1 runs it'
const LONG = { skip, timeout: 1_800_000 }

describe('a notebook project in R', () => {
  test('R6 R9 is built from its install.R by R itself, and its kernel executes', LONG, async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const started = performance.now()
    const base = await ensureRBase(world.folder)
    t.diagnostic(`base with R: ${Math.round(performance.now() - started)} ms`)
    const registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
    stack.defer(registry.close)
    const tag = `${registry.address}/nb/r:1`
    await docker(world, 'tag', base, tag)
    const { reference } = await imagePush.run(world.hands, { reference: tag, registry: loginOf(registry) })
    const commit = async (install: string) =>
      await world.commit({ 'r/nb.yaml': '', 'r/install.R': install, 'r/analysis.ipynb': notebook() })
    const wishOf = (at: string): NotebookWish => ({
      ...{ repository: 'shop', commit: at, folder: 'r', slug: world.app, date: '2026-11-01' },
      bases: [{ name: 'r', reference, pythons: ['3.11'], tools: [], r: '4.2' }],
    })
    const make = async (wish: NotebookWish) => {
      const { environment, problems, pack } = await notebookExamine.run(world.hands, wish)
      deepEqual([pack, problems], ['r', []])
      ok(environment)
      return await notebookEnvironment.run(world.hands, { ...wish, key: environment.key })
    }

    // As R does it: a warning, and the end of the script.
    const missing = wishOf(
      await commit(
        'dir.create("/tmp/r/src/contrib", recursive = TRUE)\nfile.create("/tmp/r/src/contrib/PACKAGES")\ninstall.packages("nothere", repos = "file:///tmp/r")\n',
      ),
    )
    await rejects(make(missing), (error: FairleadError) => {
      match(JSON.stringify(error), /nothere/)
      return true
    })
    const wish = wishOf(
      await commit('stopifnot(requireNamespace("jsonlite"))\nwriteLines("42", "/opt/rlibs/made")\n'),
    )
    const made = await make(wish)
    stack.defer(async () => {
      await docker(world, 'rmi', '--force', made.reference, tag)
    })

    const token = randomBytes(32).toString('hex')
    await writeFile(join(world.folder, 'token'), token)
    const name = `${world.app}-serves`
    const volume = `--volume=${join(world.folder, 'token')}:/run/secrets/jupyter_token:ro`
    const memory = ['--tmpfs=/tmp', '--tmpfs=/home/jovyan:uid=1000,gid=1000']
    await docker(
      world,
      ...['run', '--detach', `--name=${name}`, '--read-only', '--user=1000:1000', ...memory],
      ...[volume, '--publish=127.0.0.1::8888', made.reference],
    )
    const [host = '', port] = (await docker(world, 'port', name, '8888')).trim().split(':')
    const server = { host, port: Number(port), headers: { authorization: `token ${token}` } }
    await untilServing(server)
    const { kernelspecs } = JSON.parse((await ask(server, '/api/kernelspecs')).body)
    deepEqual(Object.keys(kernelspecs).sort(), ['ir', 'python3'])
    equal(await execute(server, 'cat(6 * as.integer(readLines("/opt/rlibs/made")) / 6)', 'ir'), '42')
    match(
      await execute(server, 'cat(jsonlite::toJSON(list(a = 1)), R.version$major)', 'ir'),
      /\{"a":\[1\]\} 4/,
    )
  })
})

function notebook(): string {
  const metadata = { kernelspec: { name: 'ir', display_name: 'R', language: 'R' } }
  return JSON.stringify({ cells: [], metadata, nbformat: 4, nbformat_minor: 5 })
}
