import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { partEnvironment } from './part-environment.ts'

const ENVIRONMENT = {
  PATH: '/bin',
  HOME: '/home/ada',
  TZ: 'Europe/Helsinki',
  NODE_OPTIONS: '--inspect',
  AWS_SECRET_ACCESS_KEY: 'canary',
  FAIRLEAD_TOKEN: 'flt_canary',
  FAIRLEAD_REGISTRY: 'registry.example.org',
  FAIRLEAD_REGISTRY_PASSWORD: 'canary',
  FAIRLEAD_SUBNET: '10.9.0.0/24',
}

test('a worker gets its own settings and nothing that it has no use for: no password, no token', () => {
  deepEqual(partEnvironment('worker', ENVIRONMENT), { TZ: 'Europe/Helsinki', FAIRLEAD_SUBNET: '10.9.0.0/24' })
})

test('a manager gets the registry, and no token of its caller', () => {
  deepEqual(partEnvironment('manager', ENVIRONMENT), {
    TZ: 'Europe/Helsinki',
    FAIRLEAD_REGISTRY: 'registry.example.org',
    FAIRLEAD_REGISTRY_PASSWORD: 'canary',
  })
})
