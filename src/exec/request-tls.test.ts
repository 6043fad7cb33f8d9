import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Engine } from './call.ts'
import { closeConnections, request } from './request.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-request-tls-test-'))
const [own, other] = [aCertificate('own'), aCertificate('other')]
const server = createServer(own, (received, response) => response.end(received.headers.host))
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
after(() => {
  closeConnections()
  server.close()
  rmSync(root, { recursive: true })
})

test('an origin is trusted by its own authority, and by no other after that', async () => {
  assert.equal(await textFrom({ kind: 'http', origin, ca: own.cert }), origin.slice('https://'.length))
  for (const engine of [
    { kind: 'http', origin },
    { kind: 'http', origin, ca: other.cert },
  ] as const) {
    await assert.rejects(textFrom(engine), { code: 'ENGINE_UNTRUSTED' })
  }
  assert.ok(await textFrom({ kind: 'http', origin, ca: own.cert }))
})

test('HTTP spoken to a TLS port breaks off with a code', async () => {
  await assert.rejects(textFrom({ kind: 'http', origin: origin.replace('https', 'http') }), {
    code: 'ENGINE_BROKE_OFF',
  })
})

function textFrom(engine: Engine): Promise<string> {
  const call = { kind: 'request', engine, method: 'GET', path: '/', timeoutMs: 5_000, ok: [200] } as const
  return request({ ...call, read: ({ text }) => text }, createTestContext())
}

function aCertificate(name: string): { key: string; cert: string } {
  const [key, cert] = [join(root, `${name}.key`), join(root, `${name}.crt`)]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
