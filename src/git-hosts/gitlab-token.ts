import { defineGitHost } from './git-host.ts'
import { readGitlabEvent } from './gitlab-event.ts'
import { gitlabReporting } from './gitlab-report.ts'
import { isToken } from './signature.ts'

const HEADERS = {
  signature: 'x-gitlab-token',
  delivery: 'idempotency-key',
  // Since GitLab 17.4.
  deliveryIsNew: true,
  event: 'x-gitlab-event',
} as const

export const gitlabToken = defineGitHost({
  name: 'gitlab-token',
  title: 'GitLab, with a secret token',
  summary:
    'GitLab before 19.0: a webhook of the project with a secret token, which vouches for the sender only.',
  setup: [
    'Project, Settings, Webhooks, Add new webhook.',
    'URL: the address. Secret token: the secret.',
    'Trigger: push events of the branch, and merge request events if a merge shall count before its push arrives.',
    'The token is sent as it is and proves nothing about the body: from GitLab 19.0 on prefer a signing token.',
  ],
  headers: HEADERS,
  reporting: gitlabReporting,
  verify: ({ headers }, secrets) => isToken(headers[HEADERS.signature] ?? '', secrets),
  read: (_, body) => readGitlabEvent(body),
})
