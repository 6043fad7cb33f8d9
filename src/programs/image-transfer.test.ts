import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTransferEvent, transferFault } from './image-transfer.ts'

for (const [value, event] of [
  [
    { status: 'Pushed', id: 'abc' },
    { kind: 'line', text: 'abc: Pushed' },
  ],
  [
    { status: 'Pushing', id: 'abc', progressDetail: { current: 5, total: 9 } },
    { kind: 'progress', layer: 'abc', bytes: 5, total: 9 },
  ],
  [{ status: 'Preparing', id: 'abc' }, { kind: 'quiet' }],
  [
    { status: 'Retrying in 5 seconds', id: 'abc' },
    { kind: 'retrying', text: 'Retrying in 5 seconds' },
  ],
  [{ aux: { Tag: 't', Digest: 'sha256:1', Size: 3 } }, { kind: 'digest', digest: 'sha256:1' }],
  [
    { error: 'a', errorDetail: { message: 'b' } },
    { kind: 'failed', reason: 'b' },
  ],
  [{ error: 'a' }, { kind: 'failed', reason: 'a' }],
  [null, { kind: 'quiet' }],
] as const) {
  test(`the event ${JSON.stringify(value)} is ${event.kind}`, () => {
    assert.deepEqual(readTransferEvent(value), event)
  })
}

for (const [reason, fault] of [
  ['unauthorized: authentication required', 'credential'],
  ['no basic auth credentials', 'credential'],
  ['Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'unreachable'],
  ['dial tcp: lookup r.example: no such host', 'unreachable'],
  ['Get "http://127.0.0.1:1/v2/": net/http: HTTP/1.x transport connection broken: EOF', 'unreachable'],
  ['Client sent an HTTP request to an HTTPS server.', 'unreachable'],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'certificate'],
  ['denied: requested access to the resource is denied', 'denied'],
  ['write /var/lib/docker/tmp/x: no space left on device', 'disk-full'],
  ['manifest unknown', 'missing'],
  ['received unexpected HTTP status: 500 Internal Server Error', 'other'],
] as const) {
  test(`"${reason.slice(0, 50)}" is ${fault}`, () => {
    assert.equal(transferFault(reason), fault)
  })
}
