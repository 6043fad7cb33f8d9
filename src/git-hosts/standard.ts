import { defineGitHost } from './git-host.ts'
import { readPlainEvent } from './plain-event.ts'
import { isSignedInTime, isTimedSecret, TIMED_HEADERS, timedSecretOf } from './signature.ts'

export const standard = defineGitHost({
  name: 'standard',
  title: 'Standard Webhooks',
  summary: 'Any sender of Standard Webhooks: signed over id, time and body, and of no use to others later.',
  setup: [
    'Send a POST to the address with content type application/json, with any library of standardwebhooks.com.',
    'Body: {"ref":"refs/heads/main"} for one branch, or {} to have the repository looked at; it may name "repository".',
    'Headers webhook-id, webhook-timestamp and webhook-signature; the clock of the sender may be five minutes off.',
  ],
  headers: TIMED_HEADERS,
  secretOf: timedSecretOf,
  isSecret: isTimedSecret,
  verify: isSignedInTime,
  read: (_, body) => readPlainEvent(body),
})
