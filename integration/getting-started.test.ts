import { equal, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** What `npm test` has done before it came here, or does itself in integration/cli.test.ts. */
const DONE = ['scripts/setup', 'bin/fairlead up']
const URL_IN_PAGES = 'https://github.com/you/shop.git'

const world = new AsyncDisposableStack()
let system: System
before(async () => {
  system = await startSystem(world)
})
after(() => world.disposeAsync())

describe('what the first pages tell a person to type', () => {
  for (const [index, [page, heading]] of [
    ['README.md', '## Five minutes with your own repository'],
    ['docs/getting-started.md', '# Getting started'],
  ].entries()) {
    test(`${page} leads to a served page and back to the one before`, async () => {
      const name = `start-${index}-${process.pid}`
      const remote = await system.pushedRepository(name, filesOf(1))
      const lines = shellLines(await readFile(join(PACKAGE_ROOT, page ?? ''), 'utf8'), heading ?? '')
      ok(lines.length >= 6, lines.join('\n'))
      for (const line of lines) {
        await type(line, { name, remote })
      }
      equal((await system.visit(`${name}.localhost`)).body, 'page 1')
    })
  }
})

interface Typed {
  readonly name: string
  readonly remote: Remote
}

/** Types a line of the page with the address and the account of this test's Git server in it. */
async function type(line: string, { name, remote }: Typed): Promise<void> {
  if (line.includes(' rollback ')) {
    // The page tells its reader to push something by then.
    await remote.push(filesOf(2))
    await fairlead(['deploy', name, '--wait'])
    equal((await system.visit(`${name}.localhost`)).body, 'page 2')
  }
  const { gitServer } = system
  const words = line
    .replace(URL_IN_PAGES, gitServer.url(name))
    .replaceAll(/(?<= )shop(?= |$)/g, name)
    .split(/ +/)
    .slice(1)
  if (words[0] === 'repositories' && words[1] === 'add') {
    const password = join(system.folder, 'password')
    await writeFile(password, gitServer.password)
    words.push('--ca', gitServer.caFile, '--username', gitServer.username, '--password-file', password)
  }
  await fairlead(words)
}

/** Ends well, or goes on for ever and says something. */
async function fairlead(words: readonly string[]): Promise<void> {
  const { url, tokenFile } = system.together()
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: system.folder,
    FAIRLEAD_MANAGER: url,
    FAIRLEAD_TOKEN_FILE: tokenFile,
  }
  const program = join(PACKAGE_ROOT, 'bin/fairlead')
  const child = spawn(program, [...words], { env, cwd: system.folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const errors = text(child.stderr)
  if (words.includes('-f')) {
    await Promise.race([once(child.stdout, 'data'), closed])
    child.kill('SIGINT')
  } else {
    child.stdout.resume()
  }
  const [code] = await closed
  ok(code === 0 || words.includes('-f'), `fairlead ${words.join(' ')} ends with ${code}: ${await errors}`)
}

/** The lines of the blocks for a shell below a heading, up to the next one of its rank, without what comes behind a #. */
function shellLines(page: string, heading: string): string[] {
  const rank = heading.slice(0, heading.indexOf(' ') + 1)
  const [, rest = ''] = page.split(`${heading}\n`)
  const [section = ''] = rest.split(`\n${rank}`)
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map(line => line.replace(/\s+#.*/, '').trim())
    .filter(line => line !== '' && !DONE.includes(line))
}

function filesOf(version: number) {
  return {
    'index.html': `page ${version}`,
    Dockerfile: [
      `FROM ${system.baseImage}`,
      'COPY index.html /www/index.html',
      'EXPOSE 8080',
      'CMD ["sh", "-c", "echo ready; exec httpd -f -p 8080 -h /www"]',
      '',
    ].join('\n'),
  }
}
