import { defineError } from '#lib/errors.ts'

export const REPOSITORY_URL_REFUSED = defineError({
  code: 'REPOSITORY_URL_REFUSED',
  status: 422,
  retry: 'never',
  message: (problem: string) => `This repository address cannot be used: ${problem}.`,
  hint: () =>
    'Write it as https://host/owner/name.git, ssh://git@host/owner/name.git or git@host:owner/name.git, without user name, password or parameters.',
})

export const CREDENTIALS_IN_URL = defineError({
  code: 'CREDENTIALS_IN_URL',
  status: 422,
  retry: 'never',
  message: () => 'The repository address contains a user name or a password.',
  hint: () =>
    'Put credentials in the credential field: there they are stored encrypted and never reach a process list or a log. Replace a password that was pasted here.',
})

export const PRIVATE_ADDRESS = defineError({
  code: 'PRIVATE_ADDRESS',
  status: 422,
  retry: 'never',
  message: (host: string, address?: string) =>
    address === undefined || address === host
      ? `"${host}" is a private address.`
      : `"${host}" has the private address ${address}.`,
  hint: () =>
    'If this is your own server, add its network (for example 10.0.0.0/8) to allowPrivate in the policy of the worker and in the settings of the manager.',
})

export const BRANCH_NAME_REFUSED = defineError({
  code: 'BRANCH_NAME_REFUSED',
  status: 422,
  retry: 'never',
  message: (problem: string) => `This branch name cannot be used: ${problem}.`,
  hint: () =>
    'Give the name as "git branch" prints it, for example main or release/1.2, without refs/heads/ in front.',
})

export const REPOSITORY_PATH_REFUSED = defineError({
  code: 'REPOSITORY_PATH_REFUSED',
  status: 422,
  retry: 'never',
  message: (path: string, problem: string) => `The path ${JSON.stringify(path)} cannot be used: ${problem}.`,
  hint: () =>
    'Give a path relative to the root of the repository, for example compose.yaml or services/api/Dockerfile.',
})

export const REPOSITORY_NOT_FOUND = defineError({
  code: 'REPOSITORY_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (url: string) => `There is no repository at ${url}, or the credential may not see it.`,
  hint: () =>
    'Compare the address with the one your Git host shows under "clone". For a private repository check that the credential may read it.',
})

export const REPOSITORY_MOVED = defineError({
  code: 'REPOSITORY_MOVED',
  status: 409,
  retry: 'never',
  message: (url: string) => `The server answered for ${url} with a redirect, which is never followed.`,
  hint: () => 'The repository was renamed or moved: enter its new address.',
})

export const REPOSITORY_UNREACHABLE = defineError({
  code: 'REPOSITORY_UNREACHABLE',
  status: 502,
  retry: 'later',
  message: (url: string, problem: string) => `The Git server of ${url} could not be reached: ${problem}.`,
  hint: () =>
    'It is tried again later. If it persists, check name resolution, firewall and the server itself from this worker.',
})

export const REPOSITORY_SERVER_BUSY = defineError({
  code: 'REPOSITORY_SERVER_BUSY',
  status: 503,
  retry: 'later',
  message: (url: string, status: number) =>
    `The Git server of ${url} asks to be left alone for a while (status ${status}).`,
  hint: () =>
    'It is asked again when it said, or later. If it happens often, look at its repositories less often ("fairlead repositories add --poll") and use webhooks.',
})

export const REPOSITORY_CREDENTIAL_REFUSED = defineError({
  code: 'REPOSITORY_CREDENTIAL_REFUSED',
  status: 403,
  retry: 'never',
  message: (url: string) => `The Git server refused the credential for ${url}.`,
  hint: () =>
    'Check that the token or key is neither expired nor revoked and may read this repository. A deploy key must be added to exactly this repository.',
})

export const REPOSITORY_CREDENTIAL_NEEDED = defineError({
  code: 'REPOSITORY_CREDENTIAL_NEEDED',
  status: 403,
  retry: 'never',
  message: (url: string) =>
    `The Git server asks for a credential for ${url}: it is private or does not exist.`,
  hint: () =>
    'Check the address; for a private repository add an access token with read access, or use the SSH address with a deploy key.',
})

export const REPOSITORY_CERTIFICATE_REFUSED = defineError({
  code: 'REPOSITORY_CERTIFICATE_REFUSED',
  status: 502,
  retry: 'never',
  message: (url: string, problem: string) =>
    `The certificate of the Git server of ${url} is not trusted: ${problem}.`,
  hint: () =>
    'If the server has a certificate of your own authority, add the PEM of that authority to the repository.',
})

export const HOST_KEY_CHANGED = defineError({
  code: 'HOST_KEY_CHANGED',
  status: 502,
  retry: 'never',
  message: (host: string, pinned: string, offered: string) =>
    `The host key of ${host} changed: pinned is ${pinned}, the server shows ${offered}.`,
  hint: () =>
    'Somebody may be listening in. Ask the operator of the server for its fingerprint; only if it is the one shown, replace the known host keys of the repository.',
})

export const HOST_KEY_UNKNOWN = defineError({
  code: 'HOST_KEY_UNKNOWN',
  status: 502,
  retry: 'never',
  message: (host: string) => `None of the known host keys of the repository fits the key that ${host} shows.`,
  hint: (host: string) =>
    `Run "ssh-keyscan -t ed25519 ${portOption(host)}", compare the fingerprint with the one its operator publishes, and add the line to the known host keys.`,
})

export const BRANCH_PROTECTED = defineError({
  code: 'BRANCH_PROTECTED',
  status: 403,
  retry: 'never',
  message: (branch: string, url: string, answer: string) =>
    `${url} refuses a push to the branch "${branch}": ${answer}`,
  hint: () =>
    'The branch is protected, or a hook of the server refuses the commit. Let the account of the repository push to it at your Git host, or take "url_file" out of the deploy file: the address stays in "fairlead apps show" and in the API.',
})

export const PUSH_REFUSED = defineError({
  code: 'PUSH_REFUSED',
  status: 403,
  retry: 'never',
  message: (url: string) => `The credential for ${url} may read it but not push to it.`,
  hint: () =>
    'Give the repository a credential with write access (a deploy key with "allow write access", a token that may write contents), or take "url_file" out of the deploy file.',
})

export const BRANCH_NOT_FOUND = defineError({
  code: 'BRANCH_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (branch: string, url: string) => `${url} has no branch "${branch}".`,
  hint: () => 'Check the spelling (upper and lower case matter) and that the branch was pushed.',
})

export const COMMIT_NOT_FOUND = defineError({
  code: 'COMMIT_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (commit: string, url: string) =>
    `${url} does not have the commit ${commit}, or does not serve it.`,
  hint: () =>
    'The history may have been rewritten, or the server serves only the tips of branches: deploy the tip of the branch.',
})

export const REPOSITORY_REFUSED_BY_FSCK = defineError({
  code: 'REPOSITORY_REFUSED_BY_FSCK',
  status: 422,
  retry: 'never',
  message: (finding: string) =>
    `The repository contains an object that Git's consistency check refuses: ${finding}.`,
  hint: () =>
    'Run "git fsck" in a clone. Findings like gitmodulesUrl or hasDotgit are attacks and are never accepted; old harmless ones can be tolerated in the settings of the repository.',
})

export const REPOSITORY_TOO_LARGE = defineError({
  code: 'REPOSITORY_TOO_LARGE',
  status: 413,
  retry: 'never',
  message: (problem: string) => `The repository is larger than this worker accepts: ${problem}.`,
  hint: () => 'Remove large or generated files from the branch, or raise the limits of the repository.',
})

export const WORKSPACE_FULL = defineError({
  code: 'WORKSPACE_FULL',
  status: 507,
  retry: 'later',
  message: () => 'The disk of the worker is full.',
  hint: () =>
    'Free some space on the disk that holds the workspace of the worker, or enlarge it; then deploy again (a branch that is polled is tried again by itself).',
})

export const OBJECT_NOT_FOUND = defineError({
  code: 'OBJECT_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (revision: string) => `The mirror of the repository on this worker does not have ${revision}.`,
  hint: () => 'Check it out first; deploying the commit does that.',
})

export const MIRROR_LOCKED = defineError({
  code: 'MIRROR_LOCKED',
  status: 409,
  retry: 'later',
  message: (file: string) => `A Git process that died left the lock ${file} behind.`,
  hint: () =>
    'The next checkout of the repository removes it. If it persists, look for a Git process on the worker that hangs.',
})

export const MIRROR_DAMAGED = defineError({
  code: 'MIRROR_DAMAGED',
  status: 500,
  retry: 'later',
  message: (problem: string) => `The mirror of the repository on this worker is damaged: ${problem}.`,
  hint: () => 'The next checkout makes it anew. If it happens again, check the disk of the worker.',
})

export const HELPER_NOT_STARTED = defineError({
  code: 'HELPER_NOT_STARTED',
  status: 500,
  retry: 'never',
  message: (file: string) => `The worker may not start the file ${file}, which gives Git its password.`,
  hint: () =>
    'The temporary folder of the worker is on a disk that is mounted with "noexec". Use one on a disk that is not, for example below /dev/shm.',
})

export const GIT_FAILED = defineError({
  code: 'GIT_FAILED',
  status: 502,
  retry: 'later',
  message: (operation: string, exitCode: number, tail: string) =>
    `git ${operation} ended with ${exitCode}: ${tail}`,
  hint: () =>
    'The text above is what Git said. Try the same with git on the worker, and report it if it should have been understood.',
})

function portOption(host: string): string {
  const match = /^\[(.+)\]:(\d+)$/.exec(host)
  return match ? `-p ${match[2]} ${match[1]}` : host
}
