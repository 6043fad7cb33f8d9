import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { commandNamed } from '#commands/index.ts'
import { problemsOf } from '#lib/check.ts'
import { compose } from './compose.ts'
import type { LookInput, Tell } from './target.ts'

const HASH = 'a'.repeat(64)

const ROUTE = { hosts: ['shop.example.org'], port: 80, ip: '10.1.0.32', deployment: 'old' }

/** One service from a registry, running as released and routed; `changes` to its container. */
function anInput(changes: object = {}): LookInput<Record<string, unknown>> {
  const container = {
    ...{ service: 'web', id: 'w', name: 'shop-web-1', state: 'running', health: 'none', exitCode: 0 },
    ...{ restarts: 0, startedAt: '2026-11-20T10:00:00Z', configHash: HASH, image: 'nginx' },
    ...{ imageId: 'sha256:1', currentImageId: 'sha256:1', ip: ROUTE.ip, ...changes },
  }
  const service = { hash: HASH, image: 'nginx', dependsOn: [], replicas: 1, mayComplete: false, ports: [] }
  return {
    app: { name: 'shop', baseDomain: 'example.org' },
    settings: { routes: [{ service: 'web', port: 80 }], verify: { http: '/up', within: '9s' } },
    deployment: 'new',
    source: { commit: 'c'.repeat(40), branch: 'main', repository: 'r', texts: {}, paths: [] },
    found: {
      render: {
        render: HASH,
        services: { web: service },
        routes: [{ service: 'web', port: 80, name: 'web.shop', slots: [ROUTE.ip, '10.1.0.33'] }],
        findings: [],
        warnings: [],
      },
      containers: { containers: [container] },
      routes: { routes: { 'web.shop': ROUTE } },
    },
    registry: undefined,
    secrets: {},
    previous: {
      ...{ id: 'r', commit: 'c'.repeat(40), configHash: 'x' },
      content: { project: 'shop', render: HASH, images: {}, routes: ['web.shop'] },
    },
  }
}

function proofOf(input: LookInput<Record<string, unknown>>): Tell | undefined {
  return compose.look(input).find(tell => tell.key === 'answers')
}

test('before "nothing to do" is said, the routes are asked as visitors ask', () => {
  const proof = proofOf(anInput())
  deepEqual(proof?.data.routes, [
    {
      ...{ name: 'web.shop', hosts: ['shop.example.org'], port: 80, ip: '10.1.0.32' },
      probe: { path: '/up', expect: { from: 200, to: 399 } },
    },
  ])
  deepEqual(problemsOf(commandNamed('route.verify').data, proof?.data), [])
})

test('nobody is asked while something is to be done anyway', () => {
  equal(proofOf(anInput({ state: 'exited' })), undefined)
  equal(proofOf(anInput({ health: 'starting' })), undefined)
})

test('a route that does not answer is pointed and proved anew instead of called fine', () => {
  const input = anInput()
  const answered = (fault: string | null) => ({
    ...input,
    found: { ...input.found, answers: { routes: { 'web.shop': { fault, answers: [], tls: [] } } } },
  })
  equal(compose.plan(answered(null)).nothingToDo, true)
  const plan = compose.plan(answered('status 502'))
  equal(plan.nothingToDo, false)
  deepEqual(
    plan.route.map(({ command, data }) => [command, data.name]),
    [['route.point', 'web.shop']],
  )
  deepEqual(
    plan.changes.filter(change => change.kind === 'route'),
    [{ kind: 'route', what: 'shop.example.org', why: 'status 502' }],
  )
})
