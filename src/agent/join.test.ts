import { equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import {
  isProvenStatement,
  type JoinToken,
  newJoinToken,
  proveStatement,
  writeJoinToken,
} from '#link/join-token.ts'
import { dialAddress, type JoinOptions, join } from './join.ts'
import {
  JOIN_ADDRESS_INVALID,
  JOIN_MANAGER_INVALID,
  JOIN_MANAGER_UNREACHABLE,
  JOIN_NOT_PROVEN,
} from './join-errors.ts'

test('R76 an agent joins with a token, pins the manager that the token names, and tells where it listens', async t => {
  const scene = await startScene(t)
  const joined = await join(scene.options)
  equal(joined.host, 'box')
  equal(joined.address, '127.0.0.1:7443')
  equal(joined.manager.keyId, scene.manager.keyId)
  match(scene.pinned(), new RegExp(scene.manager.keyId))
  const listening = { ...scene.options, listen: { host: '0.0.0.0', port: 9 } }
  equal((await join(listening)).address, '127.0.0.1:9', 'where it can be reached from the manager')
  equal((await join({ ...scene.options, address: 'box.example.org:7443' })).address, 'box.example.org:7443')
})

test('an answer that was lost is asked for again with the same words', async t => {
  const scene = await startScene(t, { losing: 1 })
  await join(scene.options)
  equal(scene.requests.length, 2)
  equal(scene.requests[0], scene.requests[1])
})

test('whoever answers without the secret, or with another key, is not pinned', async t => {
  const other = newJoinToken('0'.repeat(64))
  const stranger = await startScene(t, { answersWith: { secret: other.secret } })
  await rejects(join(stranger.options), JOIN_NOT_PROVEN.matches)
  equal(stranger.pinned(), '')
  const knows = await startScene(t)
  const token = writeJoinToken({ ...knows.token, managerKeyId: 'ab'.repeat(32) })
  await rejects(join({ ...knows.options, token }), /its key is not the one that the token names/)
  equal(knows.pinned(), '')
})

test('an agent that only its own machine reaches is told before the token is spent', async t => {
  const near = { from: '127.0.0.1', to: '127.0.0.1' }
  const far = { from: '10.0.0.7', to: '10.0.0.1' }
  equal(dialAddress({ host: 'localhost', port: 1 }, near), 'localhost:1')
  equal(dialAddress({ host: '127.0.0.1', port: 1 }, far), undefined)
  equal(dialAddress({ host: '::1', port: 1 }, far), undefined)
  equal(dialAddress({ host: '0.0.0.0', port: 1 }, far), '10.0.0.7:1')
  equal(dialAddress({ host: '::', port: 1 }, { from: 'fd00::7', to: 'fd00::1' }), '[fd00::7]:1')
  equal(dialAddress({ host: '10.0.0.9', port: 1 }, far), '10.0.0.9:1')
  const scene = await startScene(t)
  await rejects(join({ ...scene.options, address: 'box' }), JOIN_ADDRESS_INVALID.matches)
  await rejects(join({ ...scene.options, address: 'box:70000' }), JOIN_ADDRESS_INVALID.matches)
  equal(scene.requests.length, 0)
})

test('what is no address of a manager, or answers nothing, is said before anything is made', async t => {
  const scene = await startScene(t)
  for (const manager of ['', 'box', 'ftp://box', 'http://user@box', 'http://box/path']) {
    await rejects(join({ ...scene.options, manager }), JOIN_MANAGER_INVALID.matches, manager)
  }
  await rejects(join({ ...scene.options, manager: 'http://127.0.0.1:1' }), JOIN_MANAGER_UNREACHABLE.matches)
  ok(!existsSync(joinPath(scene.options.data, 'identity.json')))
})

test('the reason of a refusal comes from the manager, with its hint', async t => {
  const problem = {
    type: 'urn:fairlead:error:JOIN_TOKEN_SPENT',
    title: 'x',
    status: 403,
    detail: 'The join token was used.',
    code: 'JOIN_TOKEN_SPENT',
    hint: 'Make another one.',
    retry: 'never',
    request_id: '1',
  }
  const scene = await startScene(t, { refusal: problem })
  await rejects(join(scene.options), { code: 'JOIN_TOKEN_SPENT', hint: 'Make another one.' })
})

interface Manners {
  /** Requests that get no answer. */
  readonly losing?: number
  readonly refusal?: object
  readonly answersWith?: Pick<JoinToken, 'secret'>
}

/** A manager that keeps what it is asked and answers as the real one does. */
async function startScene(
  t: { after(run: () => unknown): void },
  { losing = 0, refusal, answersWith }: Manners = {},
) {
  const folder = mkdtempSync(joinPath(tmpdir(), 'fairlead-join-'))
  const manager = publicIdentity(
    loadOrCreateIdentity({
      folder: joinPath(folder, 'm'),
      clock: systemClock,
      name: 'manager',
      role: 'manager',
    }),
  )
  const token = newJoinToken(manager.keyId)
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    requests.push(body)
    if (requests.length <= losing) {
      response.destroy()
      return
    }
    const { statement, proof } = JSON.parse(body)
    const said = { by: 'host', tokenId: token.id, text: statement, answers: '' } as const
    if (refusal || !isProvenStatement(token.secret, said, proof)) {
      response.writeHead(403).end(JSON.stringify(refusal))
      return
    }
    const answer = JSON.stringify({ host: JSON.parse(statement).identity.name, manager })
    const { secret } = answersWith ?? token
    const proven = proveStatement(secret, {
      by: 'manager',
      tokenId: token.id,
      text: answer,
      answers: statement,
    })
    response.end(JSON.stringify({ statement: answer, proof: proven }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  const { port } = server.address() as { port: number }
  const data = joinPath(folder, 'worker')
  const options: JoinOptions = {
    data,
    name: 'box',
    role: 'worker',
    listen: { host: '127.0.0.1', port: 7443 },
    listenVariable: 'FAIRLEAD_WORKER_LISTEN',
    clock: systemClock,
    token: writeJoinToken(token),
    manager: `http://127.0.0.1:${port}`,
  }
  const pinned = () => {
    const file = joinPath(data, 'peers.json')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }
  return { options, token, manager, requests, pinned }
}
