import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { configureStacks } from './commands/stacks.ts'
import { callCommand, SILENT } from './test-command.ts'

type Sent = readonly [method: string, path: string, body: unknown, headers: unknown]

/** What is sent to a manager where the stack "docs" runs on two engines. */
async function sent(...words: string[]): Promise<Sent[]> {
  const all: Sent[] = []
  const stack = (engine: string | null) => ({
    ...{ stack: 'docs', engine, services: [] },
    config: { repository: 'infra', options: { A: engine ?? 'none' }, enabled: true, version: `of-${engine}` },
  })
  const session = {
    client: {
      get: async () => ({ items: [stack(null), stack('eu-1')] }),
      send: async (...one: Sent) => {
        all.push(one)
        return { file: 'a.json', repository: 'infra', commit: 'c', outcome: 'unchanged', warnings: [] }
      },
    },
    printer: SILENT,
  }
  await callCommand(configureStacks, { session, words })
  return all
}

test('R29 R51 a stack is added with the repository that its Compose file comes from', async () => {
  const words = ['add', 'site', 'live', '--repo', 'code', '--repository', 'infra', '--set', 'PORT=8080']
  const body = { stackDefinition: 'site', stack: 'live', options: { PORT: '8080' }, enabled: true }
  deepEqual(
    (await sent(...words)).map(([method, path, given]) => [method, path, JSON.parse(JSON.stringify(given))]),
    [['POST', '/stacks', { ...body, repo: 'code', repository: 'infra' }]],
  )
})

for (const engine of ['eu-1', 'EU-1', 'Eu_1']) {
  test(`R30 R53 the options of a stack are changed on the engine ${engine}, whatever case it is written in`, async () => {
    const [[method, path, body, headers] = [], ...more] = await sent(
      ...['set', 'docs', '--engine', engine, '--set', 'B=2'],
    )
    deepEqual([method, more], ['PUT', []])
    equal(path, `/stacks/docs?engine=${engine}&repository=infra`)
    deepEqual(
      [body, headers],
      [{ options: { A: 'eu-1', B: '2' }, enabled: true }, { 'if-match': '"of-eu-1"' }],
    )
  })
}

test('R30 R53 "local" is the stack whose file names no engine, and an unknown engine changes nothing', async () => {
  const [[, , body] = []] = await sent('set', 'docs', '--engine', 'LOCAL', '--set', 'B=2')
  deepEqual(body, { options: { A: 'none', B: '2' }, enabled: true })
  await rejects(sent('set', 'docs', '--engine', 'eu-2', '--set', 'B=2'), /eu-2/)
})
