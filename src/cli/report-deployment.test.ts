import { deepEqual, match } from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { answersOf, lateCertificates } from './report-deployment.ts'

const EVIDENCE = {
  route: {
    answers: [
      { host: 'shop.example.org', scheme: 'http', status: 200, ms: 1 },
      { host: 'shop.localhost', scheme: 'https', status: 204, ms: 1 },
    ],
    tls: [
      {
        host: 'shop.example.org',
        issuer: 'public',
        ready: false,
        problem: 'self-signed\u001b[2J certificate',
      },
      { host: 'shop.localhost', issuer: 'internal', ready: true },
    ],
  },
}

test('a success over HTTP alone says that HTTPS is not there yet, why, and what to do', () => {
  const deployment = { evidence: EVIDENCE } as unknown as DeploymentDetail
  deepEqual(answersOf(deployment), [
    'shop.example.org answers: http 200',
    'shop.localhost answers: https 204',
  ])
  const [warning = '', hint = '', ...more] = lateCertificates(deployment)
  match(
    warning,
    /^warning: https:\/\/shop\.example\.org has no certificate yet: self-signed[^\u001b]* certificate$/,
  )
  match(hint, /ports 80 and 443/)
  deepEqual(more, [])
})
