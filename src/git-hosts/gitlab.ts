import { defineGitHost } from './git-host.ts'
import { readGitlabEvent } from './gitlab-event.ts'
import { gitlabReporting } from './gitlab-report.ts'
import { isSignedInTime, isTimedSecret, TIMED_HEADERS, timedSecretOf } from './signature.ts'

export const gitlab = defineGitHost({
  name: 'gitlab',
  title: 'GitLab, with a signing token',
  summary: 'GitLab 19.0 or newer: a webhook of the project with a signing token.',
  sites: ['gitlab.com'],
  setup: [
    'Project, Settings, Webhooks, Add new webhook.',
    'URL: the address. Signing token: the secret. Leave the secret token empty, it is not looked at.',
    'Trigger: push events of the branch, and merge request events if a merge shall count before its push arrives.',
    'If GitLab makes the signing token itself, give it to "fairlead repositories webhook" with --secret-file.',
  ],
  headers: { ...TIMED_HEADERS, event: 'x-gitlab-event' },
  secretOf: timedSecretOf,
  isSecret: isTimedSecret,
  reporting: gitlabReporting,
  // X-Gitlab-Token is never a way out: who strips the signature would otherwise choose the weaker check.
  verify: isSignedInTime,
  read: (_, body) => readGitlabEvent(body),
})
