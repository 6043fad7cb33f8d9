import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { hostnameForApps } from './orchestrator-settings.ts'

test('R10 R13 R14 HOSTNAME counts where the pipeline of notebooks is told of, and never as the name of the machine', () => {
  const AUTH_TOKEN = 'of-the-pipeline'
  equal(hostnameForApps({ AUTH_TOKEN, HOSTNAME: 'nb.example.org' }, 'box'), 'nb.example.org')
  equal(hostnameForApps({ AUTH_TOKEN, HOSTNAME: 'box' }, 'box'), undefined)
  equal(hostnameForApps({ AUTH_TOKEN: '', HOSTNAME: 'nb.example.org' }, 'box'), undefined)
  equal(hostnameForApps({ HOSTNAME: 'nb.example.org' }, 'box'), undefined)
  equal(hostnameForApps({ AUTH_TOKEN }, 'box'), undefined)
})
