import { defineGitHost } from './git-host.ts'
import { readGithubEvent } from './github-event.ts'
import { githubReporting } from './github-report.ts'
import { afterSha256, isSigned } from './signature.ts'

const HEADERS = {
  signature: 'x-hub-signature-256',
  delivery: 'x-github-delivery',
  event: 'x-github-event',
} as const

export const github = defineGitHost({
  name: 'github',
  title: 'GitHub',
  summary: 'GitHub and GitHub Enterprise: a webhook of the repository with a secret.',
  sites: ['github.com'],
  setup: [
    'Repository, Settings, Webhooks, Add webhook.',
    'Payload URL: the address. Content type: application/json. Secret: the secret.',
    'Events: "Just the push event". Add "Pull requests" if a merge shall count before its push arrives.',
  ],
  headers: HEADERS,
  reporting: githubReporting,
  verify: ({ headers, body }, secrets) => isSigned(body, afterSha256(headers[HEADERS.signature]), secrets),
  read: ({ headers }, body) => readGithubEvent(headers[HEADERS.event] ?? '', body),
})
