import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { openSession } from './buildkit-session.ts'
import { fieldsOf, messageOf } from './protobuf.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-session-test-'))
after(() => rmSync(root, { recursive: true }))

const OFFERS = {
  secrets: { npmrc: new Secret('//r/:_token=é1') },
  registries: {
    'registry.example.org': { username: 'fox', password: new Secret('pa55') },
    'docker.io': { username: 'whale', password: new Secret('hub') },
  },
}

test('the session answers as its headers promise: health, secrets, credentials', async () => {
  await using engine = await anEngine()
  assert.equal(engine.headers.upgrade, 'h2c')
  assert.match(String(engine.headers['x-docker-expose-session-uuid']), /^[0-9a-f-]{36}$/)
  assert.match(
    String(engine.headers['x-docker-expose-session-grpc-method']),
    /Health\/Check.*Secrets\/GetSecret.*Auth\/Credentials/,
  )
  assert.deepEqual(await engine.ask('/grpc.health.v1.Health/Check', ''), { status: '0', fields: [1] })
  assert.deepEqual(await engine.ask('/moby.buildkit.secrets.v1.Secrets/GetSecret', 'npmrc'), {
    status: '0',
    fields: ['//r/:_token=é1'],
  })
  const credentials = (host: string) => engine.ask('/moby.filesync.v1.Auth/Credentials', host)
  assert.deepEqual((await credentials('registry.example.org')).fields, ['fox', 'pa55'])
  assert.deepEqual((await credentials('registry-1.docker.io')).fields, ['whale', 'hub'])
  assert.deepEqual(await credentials('other.example.org'), { status: '0', fields: [] })
})

for (const id of ['other', '__proto__', 'constructor', '']) {
  test(`the secret ${JSON.stringify(id)} that nobody gave is not found`, async () => {
    await using engine = await anEngine()
    assert.equal((await engine.ask('/moby.buildkit.secrets.v1.Secrets/GetSecret', id)).status, '5')
  })
}

test('what the session does not offer is refused, and it lives on', async () => {
  await using engine = await anEngine()
  assert.equal((await engine.ask('/moby.filesync.v1.FileSync/DiffCopy', 'x')).status, '12')
  assert.equal(
    (await engine.askRaw('/moby.buildkit.secrets.v1.Secrets/GetSecret', Buffer.from('rubbish'))).status,
    '13',
  )
  assert.equal((await engine.ask('/grpc.health.v1.Health/Check', '')).status, '0')
})

test('closing the session ends the connection', async () => {
  await using engine = await anEngine()
  engine.close()
  await engine.ended
})

interface Answered {
  readonly status: string
  readonly fields: readonly (string | number)[]
}

interface FakeEngine extends AsyncDisposable {
  readonly headers: IncomingHttpHeaders
  /** Resolves when our side has ended the connection. */
  readonly ended: Promise<unknown>
  ask(path: string, text: string): Promise<Answered>
  askRaw(path: string, body: Buffer): Promise<Answered>
  close(): void
}

/** An engine's side of a session: takes the upgrade and becomes the HTTP/2 client on that connection. */
async function anEngine(): Promise<FakeEngine> {
  const socket = join(root, 'engine.sock')
  const server = createServer()
  await new Promise<void>(resolve => server.listen(socket, resolve))
  const upgraded = new Promise<Pick<FakeEngine, 'headers' | 'ended'> & { client: ClientHttp2Session }>(
    resolve => {
      server.on('upgrade', (received, connection) => {
        connection.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
        resolve({
          headers: received.headers,
          ended: new Promise(end => connection.once('end', end)),
          client: connect('http://docker', { createConnection: () => connection as never }),
        })
      })
    },
  )
  const session = await openSession({ kind: 'docker', socket }, OFFERS, new AbortController().signal)
  const { headers, ended, client } = await upgraded
  client.on('error', () => {})

  async function askRaw(path: string, body: Buffer): Promise<Answered> {
    const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
    let status: unknown
    stream.on('response', answered => {
      status ??= answered['grpc-status']
    })
    stream.on('trailers', trailers => {
      status ??= trailers['grpc-status']
    })
    stream.end(body)
    const answer = await buffer(stream)
    const fields = Array.from(fieldsOf(answer.subarray(5)), ({ value }) =>
      typeof value === 'number' ? value : value.toString(),
    )
    return { status: String(status), fields }
  }

  return {
    headers,
    ended,
    askRaw,
    ask(path, text) {
      const message = messageOf({ 1: text })
      const prefix = Buffer.alloc(5)
      prefix.writeUInt32BE(message.length, 1)
      return askRaw(path, Buffer.concat([prefix, message]))
    },
    close: () => session.close(),
    async [Symbol.asyncDispose]() {
      session.close()
      client.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
