import { deepEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import type { HostRules } from '#policy/rule-context.ts'
import { refuseFiles } from './refuse-files.ts'

const ENFORCED: HostRules = {
  mode: 'enforce',
  ports: { from: 20_000, to: 20_100, never: [] },
  registries: [],
}

function refused(service: string, rules?: HostRules): string[] {
  const texts = { 'compose.yaml': `services:\n  web:\n    image: a\n    ${service}\n` }
  const routes = [{ service: 'web', port: 80 }]
  try {
    refuseFiles({ files: ['compose.yaml'], texts, project: 'shop', variables: [], routes, rules })
    return []
  } catch (error) {
    const problems = error instanceof FairleadError ? error.problems : undefined
    return (problems ?? []).map(({ file, line, message }) => `${file}:${line} ${message.slice(0, 6)}`)
  }
}

test('the manager refuses what the policy of the host forbids, as its worker tells it, with file and line', () => {
  deepEqual(refused('privileged: true', ENFORCED), ['compose.yaml:4 POL001'])
  deepEqual(refused('privileged: true', { ...ENFORCED, mode: 'trusted' }), [])
  deepEqual(refused('privileged: true', { ...ENFORCED, mode: 'warn' }), [])
  deepEqual(refused('ports: ["8080:81"]', ENFORCED), ['compose.yaml:4 POL020'])
  deepEqual(refused('ports: ["8080:80"]', ENFORCED), [], 'a port that only serves a route')
})

test('of a host that does not tell its policy only that is refused which no host allows', () => {
  deepEqual(refused('privileged: true'), [])
  deepEqual(refused('volumes: ["/var/run/docker.sock:/x"]'), ['compose.yaml:4 POL013'])
})

test('where an image is from is for the worker, which knows what was built there', () => {
  deepEqual(refused('tty: true', { ...ENFORCED, registries: ['registry.example'] }), [])
  throws(() =>
    refuseFiles({
      ...{ files: ['compose.yaml'], texts: { 'compose.yaml': 'services: { a: { image: "A B" } }' } },
      ...{ project: 'shop', variables: [], rules: ENFORCED },
    }),
  )
})
