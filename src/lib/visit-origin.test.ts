import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visitOrigin } from './visit-origin.ts'

test('an internal name is visited without a certificate, a public one with, at the port where the proxy listens', () => {
  const ports = { httpPort: 8080, httpsPort: 8443 }
  assert.equal(visitOrigin('shop.localhost', ports), 'http://shop.localhost:8080')
  assert.equal(visitOrigin('shop.example.org', ports), 'https://shop.example.org:8443')
  assert.equal(visitOrigin('10.0.0.7', { ...ports, httpPort: 80 }), 'http://10.0.0.7')
  assert.equal(visitOrigin('shop.example.org'), 'https://shop.example.org')
})
