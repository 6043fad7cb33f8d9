import { defineGitHost } from './git-host.ts'
import { giteaReporting } from './gitea-report.ts'
import { readGithubEvent } from './github-event.ts'
import { isSigned } from './signature.ts'

const HEADERS = {
  signature: 'x-gitea-signature',
  delivery: 'x-gitea-delivery',
  event: 'x-gitea-event',
} as const

export const gitea = defineGitHost({
  name: 'gitea',
  title: 'Gitea',
  summary: 'Gitea: a webhook of the repository with a secret.',
  sites: ['gitea.com'],
  setup: [
    'Repository, Settings, Webhooks, Add Webhook, Gitea.',
    'Target URL: the address. HTTP method: POST. Content type: application/json. Secret: the secret.',
    'Trigger on: push events, and pull request events if a merge shall count before its push arrives.',
    'On a private network the server must allow the address: ALLOWED_HOST_LIST in section [webhook] of app.ini.',
  ],
  headers: HEADERS,
  reporting: giteaReporting,
  // Bare hex digits. Its copies of the headers of related programs are not looked at.
  verify: ({ headers, body }, secrets) => isSigned(body, headers[HEADERS.signature] ?? '', secrets),
  read: ({ headers }, body) => readGithubEvent(headers[HEADERS.event] ?? '', body),
})
