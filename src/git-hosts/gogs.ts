import { defineGitHost } from './git-host.ts'
import { readGithubEvent } from './github-event.ts'
import { isSigned } from './signature.ts'

const HEADERS = {
  signature: 'x-gogs-signature',
  delivery: 'x-gogs-delivery',
  event: 'x-gogs-event',
} as const

export const gogs = defineGitHost({
  name: 'gogs',
  title: 'Gogs',
  summary: 'Gogs: a webhook of the repository with a secret.',
  setup: [
    'Repository, Settings, Webhooks, Add a new webhook, Gogs.',
    'Payload URL: the address. Content type: application/json. Secret: the secret.',
    'Events: just the push event.',
    'On a private network the server must allow the address: LOCAL_NETWORK_ALLOWLIST in section [security] of app.ini.',
  ],
  headers: HEADERS,
  // Bare hex digits. Its copies of the headers of related programs are not looked at.
  verify: ({ headers, body }, secrets) => isSigned(body, headers[HEADERS.signature] ?? '', secrets),
  read: ({ headers }, body) => readGithubEvent(headers[HEADERS.event] ?? '', body),
})
