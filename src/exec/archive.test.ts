import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { FairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { performArchive } from './archive.ts'
import type { KeptFile } from './archive-call.ts'
import { createTestContext } from './test-context.ts'

const CONTENT = randomBytes(300_000)
const MINUTE = 60_000
const folder = mkdtempSync(join(tmpdir(), 'fairlead-archive-'))
const socket = join(folder, 'engine.socket')
const engine = { kind: 'incus', socket } as const
const file = join(folder, 'kept', 'one.age')
let identity = ''
let server: Server
/** Of each request that was read to its end. */
const arrived: Buffer[] = []

before(async () => {
  identity = await generateX25519Identity()
  server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(request.url === '/export' ? 200 : 404).end(CONTENT)
      return
    }
    buffer(request).then(
      body => {
        arrived.push(body)
        response.end('{}')
      },
      () => undefined,
    )
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
})
after(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('R73 what an engine gives becomes an encrypted file, and is the same when it comes back', async () => {
  const kept = await keep()
  assert.ok(kept.bytes > CONTENT.length)
  assert.equal(readFileSync(file).includes(CONTENT.subarray(0, 64)), false)
  await bring(kept)
  assert.ok(arrived.pop()?.equals(CONTENT))
})

test('P02 a file that was changed by one byte, anywhere, or was cut off, is never brought whole', async () => {
  const kept = await keep()
  const whole = readFileSync(file)
  for (const at of [30, 150, 400, 70_000, whole.length - 1]) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(file, changed)
    await refused('ARCHIVE_DAMAGED', bring(kept))
  }
  for (const length of [0, 100, 65_800, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length))
    await refused('ARCHIVE_DAMAGED', bring(kept))
  }
  writeFileSync(file, whole)
  const other = await generateX25519Identity()
  await refused('ARCHIVE_DAMAGED', bring(kept, other))
  await forget()
  await refused('ARCHIVE_DAMAGED', bring(kept))
  assert.deepEqual(arrived, [])
})

test('R73 what is too large, refused or cut off leaves no file', async () => {
  await refused('ARCHIVE_TOO_LARGE', keep({ maxBytes: 100_000 }))
  await refused('ENGINE_REFUSED', keep({ path: '/nothing' }))
  await assert.rejects(keep({ signal: AbortSignal.abort('stopping') }))
  assert.deepEqual(readdirSync(join(folder, 'kept')), [])
  await keep()
  await forget()
  assert.deepEqual(readdirSync(join(folder, 'kept')), [])
})

test('R73 a file that one host sends is the same at the other, or is not there', async () => {
  const kept = await keep()
  const there = join(folder, 'other', 'two.age')
  assert.deepEqual(await carried(kept, there), kept)
  assert.ok(readFileSync(there).equals(readFileSync(file)))
  await refused('ARCHIVE_DAMAGED', carried({ ...kept, sha256: '0'.repeat(64) }, there))
  await refused('ARCHIVE_TOO_LARGE', carried({ ...kept, bytes: kept.bytes - 1 }, there))
  await refused('ARCHIVE_CUT_OFF', carried({ ...kept, bytes: kept.bytes + 1 }, there))
  await forget()
  await refused('FILE_FAILED', performArchive({ ...SEND, partner: new PassThrough() }, createTestContext()))
  assert.deepEqual(readdirSync(join(folder, 'other')), [])
})

const SEND = { kind: 'archive', operation: 'send', file, timeoutMs: MINUTE, read: () => undefined } as const

/** Over a cable that ends with what was sent. */
async function carried({ bytes, sha256 }: KeptFile, to: string): Promise<KeptFile> {
  const partner = new PassThrough({ highWaterMark: 1_000 })
  const sent = performArchive({ ...SEND, partner }, createTestContext())
  const take = { kind: 'archive', operation: 'take', file: to, partner, bytes, sha256 } as const
  const taken = performArchive(
    { ...take, timeoutMs: MINUTE, read: (all: KeptFile) => all },
    createTestContext(),
  )
  const [result] = await Promise.all([taken.finally(() => partner.resume()), sent])
  return result
}

async function keep({
  maxBytes = 1_000_000,
  path = '/export',
  signal,
}: {
  maxBytes?: number
  path?: string
  signal?: AbortSignal
} = {}): Promise<KeptFile> {
  const recipients = [await identityToRecipient(identity)]
  const call = { kind: 'archive', operation: 'keep', engine, path, file, recipients, maxBytes } as const
  const read = (kept: KeptFile) => kept
  return await performArchive(
    { ...call, timeoutMs: MINUTE, read },
    createTestContext(signal ? { signal } : {}),
  )
}

async function bring({ sha256 }: KeptFile, key = identity): Promise<void> {
  const call = { kind: 'archive', operation: 'bring', engine, path: '/1.0/instances', file, sha256 } as const
  const rest = { headers: {}, identity: new Secret(key), timeoutMs: MINUTE, read: () => undefined }
  await performArchive({ ...call, ...rest }, createTestContext())
}

async function forget(): Promise<void> {
  await performArchive(
    { kind: 'archive', operation: 'forget', file, read: () => undefined },
    createTestContext(),
  )
}

async function refused(code: string, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, error => {
    assert.ok(error instanceof FairleadError)
    assert.equal(error.code, code, error.message)
    return true
  })
}
