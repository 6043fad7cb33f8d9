import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { composeClaims } from './compose-claims.ts'

const claims = (text: string, environment?: Record<string, unknown>) =>
  composeClaims({ files: ['a.yml'], texts: { 'a.yml': text }, environment })

const withPorts = (ports: string) => `services: { web: { image: a, ports: [${ports}] } }`

for (const [ports, expected] of [
  ['"8080:80"', ['8080/tcp']],
  ['8080:80, "53:53/udp", "127.0.0.1:9000:90"', ['8080/tcp', '53/udp', '9000/tcp']],
  ['"8000-8002:80-82"', ['8000/tcp', '8001/tcp', '8002/tcp']],
  ['80, "81/udp", "90-91"', []],
  ['{ target: 80, published: 8080 }, { target: 53, published: "53", protocol: udp }', ['8080/tcp', '53/udp']],
  ['{ target: 80 }', []],
  ['"${PORT:-8080}:80"', ['8080/tcp']],
  ['"${GIVEN}:80", "$GIVEN:80", { target: 80, published: "${GIVEN:-1}" }', ['9090/tcp']],
  ['"${SECRET}:80"', undefined],
  ['"${ABSENT}:80"', undefined],
  ['"[::1]:80:80"', undefined],
  ['"1-65535:1-65535"', undefined],
] as const) {
  test(`the ports of ${ports} are ${expected?.join(', ') ?? 'not known'}`, () => {
    deepEqual(claims(withPorts(ports), { GIVEN: 9090, SECRET: '$PORT' }), {
      services: ['web'],
      ports: expected,
    })
  })
}

test('where nobody knows the variables a port with one may be any', () => {
  equal(claims(withPorts('"${PORT:-8080}:80"'))?.ports, undefined)
  deepEqual(claims(withPorts('"8080:80"'))?.ports, ['8080/tcp'])
})

test('services and ports of several files count together', () => {
  const texts = { 'a.yml': withPorts('"1:1"'), 'b.yml': 'services: { db: { ports: ["2:2"] }, more: }' }
  const together = composeClaims({ files: ['a.yml', 'b.yml'], texts, environment: {} })
  deepEqual(together, { services: ['web', 'db', 'more'], ports: ['1/tcp', '2/tcp'] })
})

for (const [what, text] of [
  ['is no YAML', 'services: {'],
  ['is no map', '[]'],
  ['has services that are none', 'services: [a]'],
  ['includes others', 'include: [b.yml]\nservices: {}'],
  ['takes a service from another file', 'services: { web: { extends: { file: b.yml, service: web } } }'],
] as const) {
  test(`of a Compose file that ${what} nothing is known`, () => {
    equal(claims(text), undefined)
  })
}

test('of a Compose file that nobody read nothing is known, and one of the same file is', () => {
  equal(composeClaims({ files: ['a.yml'], texts: {}, environment: {} }), undefined)
  deepEqual(claims('services: { a: { ports: ["1:1"] }, b: { extends: { service: a } } }'), {
    services: ['a', 'b'],
    ports: ['1/tcp'],
  })
})
