import { defineGitHost } from './git-host.ts'
import { giteaReporting } from './gitea-report.ts'
import { readGithubEvent } from './github-event.ts'
import { isSigned } from './signature.ts'

const HEADERS = {
  signature: 'x-forgejo-signature',
  delivery: 'x-forgejo-delivery',
  event: 'x-forgejo-event',
} as const

export const forgejo = defineGitHost({
  name: 'forgejo',
  title: 'Forgejo',
  summary: 'Forgejo, such as Codeberg: a webhook of the repository with a secret.',
  sites: ['codeberg.org'],
  setup: [
    'Repository, Settings, Webhooks, Add webhook, Forgejo.',
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
