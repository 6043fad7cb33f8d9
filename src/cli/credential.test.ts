import { rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { readCredential } from './credential.ts'

for (const [given, needed, options] of [
  ['--password-file', '--username', { passwordFile: '/nowhere' }],
  ['--known-hosts', '--ssh-key', { knownHosts: '/nowhere' }],
  ['--known-hosts', '--ssh-key', { knownHosts: '/nowhere', username: 'me', passwordFile: '/dev/null' }],
] as const) {
  test(`${given} without ${needed} is refused instead of left out`, async () => {
    await rejects(readCredential(options), {
      code: 'CREDENTIAL_IN_PARTS',
      message: `${given} goes with ${needed}, which is not there.`,
    })
  })
}
