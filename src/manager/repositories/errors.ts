import { defineError } from '#lib/errors.ts'

export const REPOSITORY_UNKNOWN = defineError({
  code: 'REPOSITORY_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no repository "${name}".`,
  hint: () => 'List repositories with "fairlead repositories", or add it with "fairlead repositories add".',
})

export const REPOSITORY_EXISTS = defineError({
  code: 'REPOSITORY_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already a repository "${name}".`,
  hint: () => 'Choose another name, or change the one that is there.',
})

export const REPOSITORY_IN_USE = defineError({
  code: 'REPOSITORY_IN_USE',
  status: 409,
  retry: 'never',
  message: (name: string, apps: readonly string[]) =>
    `The repository "${name}" has apps: ${apps.join(', ')}.`,
  hint: () => 'Remove its apps first: an app without a repository could not be deployed any more.',
})

export const GIT_HOST_UNKNOWN = defineError({
  code: 'GIT_HOST_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (name: string, _known: string) => `Webhooks of "${name}" are not understood.`,
  hint: (_, known) =>
    `Give one of ${known}: docs/webhooks.md says which one is for which. Polling works with every Git server.`,
})

export const WEBHOOK_SECRET_MISFIT = defineError({
  code: 'WEBHOOK_SECRET_MISFIT',
  status: 422,
  retry: 'never',
  message: (title: string) => `The secret does not have the form of one for ${title}.`,
  hint: () =>
    'Leave it out and a fitting one is made, or give the very text that the Git host shows, such as "whsec_…" for signing tokens.',
})

export const HOOK_SECRET_UNUSABLE = defineError({
  code: 'HOOK_SECRET_UNUSABLE',
  status: 409,
  retry: 'never',
  message: (why: string) => `A stored secret of the webhook ${why}: deliveries signed with it are refused.`,
  hint: () =>
    'Make a new one with "fairlead repositories webhook <repository>" and give it to the Git host; if you changed nothing by hand, look for who did.',
})

export const CREDENTIAL_MISFIT = defineError({
  code: 'CREDENTIAL_MISFIT',
  status: 422,
  retry: 'never',
  message: (protocol: 'https' | 'ssh', kind: string) =>
    `The address is for ${protocol}, the credential for ${kind}.`,
  hint: () =>
    'An https:// address takes a user name and a token, an ssh:// or git@host: address takes a private key and the known host keys of the server.',
})

export const CREDENTIAL_NEEDED = defineError({
  code: 'CREDENTIAL_NEEDED',
  status: 422,
  retry: 'never',
  message: (place: string) => `The credential that is stored was not given for ${place}.`,
  hint: () =>
    'Give one together with the new address, or null ("fairlead repositories set --no-credential") for a repository that everybody may read.',
})
