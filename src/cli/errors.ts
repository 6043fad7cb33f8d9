import { defineError } from '#lib/errors.ts'

export const MANAGER_UNREACHABLE = defineError({
  code: 'MANAGER_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (url: string, reason: string) => `No manager answers at ${url}: ${reason}`,
  hint: () => 'Start one with "fairlead up", or name yours with --manager URL or FAIRLEAD_MANAGER.',
})

export const NO_TOKEN = defineError({
  code: 'NO_TOKEN',
  status: 401,
  retry: 'never',
  message: (url: string) => `No token is known for ${url}.`,
  hint: () =>
    'Start a manager with "fairlead up", which keeps its token where commands look; of another one sign in with "fairlead login", or give a token with --token-file FILE or FAIRLEAD_TOKEN.',
})

export const NOT_ENDED_IN_TIME = defineError({
  code: 'NOT_ENDED_IN_TIME',
  status: 504,
  retry: 'later',
  message: (_id: string, within: string) => `The deployment had not ended within ${within}.`,
  hint: id => `It goes on: follow it with "fairlead logs -f ${id}", or stop it with "fairlead cancel ${id}".`,
})

export const ID_TOKEN_NOT_GIVEN = defineError({
  code: 'ID_TOKEN_NOT_GIVEN',
  status: 401,
  retry: 'later',
  message: (reason: string) => `GitHub Actions gave the job no ID token: ${reason}.`,
  hint: () =>
    'The job needs "permissions: { id-token: write }". Else set FAIRLEAD_TOKEN; docs/ci.md shows both.',
})

export const TRUST_NOT_UNDERSTOOD = defineError({
  code: 'TRUST_NOT_UNDERSTOOD',
  status: 400,
  retry: 'never',
  message: (what: string) => `Which jobs are meant? ${what}.`,
  hint: () => 'For example "--github acme/shop --branch main", or "--issuer URL --claim sub=…".',
})

export const NO_APP_NAMED = defineError({
  code: 'NO_APP_NAMED',
  status: 422,
  retry: 'never',
  message: (names: string) => `Which app? There are: ${names || 'none yet'}.`,
  hint: () => 'Name one, as in "fairlead deploy shop". Register a repository first if there is none.',
})

export const USAGE = defineError({
  code: 'USAGE',
  status: 400,
  retry: 'never',
  message: (what: string) => what,
  hint: () => 'Show how it is used with --help.',
})

export const NOTHING_DEPLOYED = defineError({
  code: 'NOTHING_DEPLOYED',
  status: 404,
  retry: 'never',
  message: (app: string) => `"${app}" was never deployed.`,
  hint: app => `Deploy it with "fairlead deploy ${app} --wait".`,
})

export const FILE_NOT_READ = defineError({
  code: 'FILE_NOT_READ',
  status: 400,
  retry: 'never',
  message: (file: string, reason: string) => `${file} cannot be read: ${reason}`,
  hint: () => 'Give the path of a file that your account can read.',
})

export const CREDENTIAL_IN_PARTS = defineError({
  code: 'CREDENTIAL_IN_PARTS',
  status: 400,
  retry: 'never',
  message: (given: string, needed: string) => `${given} goes with ${needed}, which is not there.`,
  hint: () => 'For HTTPS give --username and --password-file, for SSH --ssh-key and --known-hosts.',
})

export const FILE_EXISTS = defineError({
  code: 'FILE_EXISTS',
  status: 409,
  retry: 'never',
  message: (file: string) => `${file} is there already.`,
  hint: () => 'Edit it and try it with "fairlead check", or write it anew with --force.',
})

export const FOLDER_NOT_READ = defineError({
  code: 'FOLDER_NOT_READ',
  status: 400,
  retry: 'never',
  message: (folder: string, reason: string) => `The folder ${folder} cannot be read (${reason}).`,
  hint: () => 'Give the path of a folder that your account can read.',
})

export const FOLDER_NOT_VALID = defineError({
  code: 'FOLDER_NOT_VALID',
  status: 422,
  retry: 'never',
  message: (folder: string, count: number) =>
    `${folder} cannot be deployed: ${count} ${count === 1 ? 'problem' : 'problems'}.`,
  hint: () => 'Correct the places listed and check again.',
})

export const NOTHING_FOUND = defineError({
  code: 'NOTHING_FOUND',
  status: 422,
  retry: 'never',
  message: (folder: string) => `${folder} holds nothing that can be deployed.`,
  hint: () => 'Add a Dockerfile or a compose.yaml, then write a fairlead.yaml with "fairlead init".',
})

export const HOST_NOT_ONLINE = defineError({
  code: 'HOST_NOT_ONLINE',
  status: 503,
  retry: 'later',
  message: (host: string, reason: string) => `The manager does not reach the worker "${host}": ${reason}`,
  hint: () => 'Read worker.log and manager.log in the data folder.',
})

export const PORT_IN_USE = defineError({
  code: 'PORT_IN_USE',
  status: 409,
  retry: 'never',
  message: (address: string, what: string) => `${address}, which the ${what} wants, is taken.`,
  hint: () => 'Is "fairlead up" running already? Else end what uses the port, or name another one (--help).',
})

export const ADDRESS_NOT_USABLE = defineError({
  code: 'ADDRESS_NOT_USABLE',
  status: 409,
  retry: 'never',
  message: (address: string, what: string, reason: string) =>
    `The ${what} cannot listen on ${address}: ${reason}`,
  hint: () => 'Name an address of this machine ("ip address" lists them) and a port above 1023.',
})

export const SETTING_UNKNOWN = defineError({
  code: 'SETTING_UNKNOWN',
  status: 400,
  retry: 'never',
  message: (variable: string, what: string) => `The environment is not understood: ${variable} ${what}`,
  hint: () => 'Correct the name, or remove the variable ("unset NAME").',
})

export const PROXY_NOT_ANSWERING = defineError({
  code: 'PROXY_NOT_ANSWERING',
  status: 503,
  retry: 'later',
  message: (admin: string) => `No Caddy answers at ${admin}, which FAIRLEAD_PROXY_ADMIN names.`,
  hint: () => 'Start that Caddy, or remove the variable: then one is found or started.',
})

export const APP_NAME_IN_USE = defineError({
  code: 'APP_NAME_IN_USE',
  status: 409,
  retry: 'never',
  message: (names: string) =>
    `Docker on this machine already has containers of: ${names}. The demo would take them for its own.`,
  hint: () => 'Remove them, or run the demo on another machine.',
})

export const DEMO_FAILED = defineError({
  code: 'DEMO_FAILED',
  status: 500,
  retry: 'never',
  message: (what: string) => `The demo did not do what it should: ${what}`,
  hint: () => 'Run it without --exit and look at "fairlead status" and "fairlead logs".',
})

export const PART_ENDED = defineError({
  code: 'PART_ENDED',
  status: 500,
  retry: 'later',
  message: (part: string, how: string, _log: string) => `The ${part} ${how}.`,
  hint: (_part, _how, log: string) =>
    `Its log is ${log}. Start again with "fairlead up": nothing that was asked for is lost.`,
})

export const NOT_AN_APP_NAME = defineError({
  code: 'NOT_AN_APP_NAME',
  status: 400,
  retry: 'never',
  message: (name: string) => `"${name}" cannot be the name of an app.`,
  hint: () =>
    'Names have lower case letters, digits and "-", at most 40 characters; "fairlead apps" lists them.',
})

export const HOST_ELSEWHERE = defineError({
  code: 'HOST_ELSEWHERE',
  status: 409,
  retry: 'never',
  message: (host: string, address: string) => `The manager knows the worker "${host}" at ${address}.`,
  hint: (_host, address) => `Start it there: "fairlead up --worker-port ${address.split(':').at(-1)}".`,
})

export const REPOSITORY_NOT_DEPLOYED = defineError({
  code: 'REPOSITORY_NOT_DEPLOYED',
  status: 422,
  retry: 'never',
  message: (reason: string, _hint: string) => `The repository cannot be deployed: ${reason}`,
  hint: (_reason, hint) => hint,
})

export const NOTHING_WAITS = defineError({
  code: 'NOTHING_WAITS',
  status: 409,
  retry: 'never',
  message: (app: string) => `No deployment of "${app}" waits for an approval.`,
  hint: () => '"fairlead status" shows the latest deployments.',
})

export const PLAN_NOT_NAMED = defineError({
  code: 'PLAN_NOT_NAMED',
  status: 409,
  retry: 'never',
  message: (id: string, hash: string) =>
    `The plan of the deployment ${id} is ${hash}; that is not the hash that was given.`,
  hint: () =>
    'Read the plan as it is now, then give at least the first 12 characters of its hash, or leave --hash out.',
})

export const NOT_CONFIRMED = defineError({
  code: 'NOT_CONFIRMED',
  status: 409,
  retry: 'never',
  message: (_id: string) => 'Nothing was approved.',
  hint: id =>
    `It waits on. Without a terminal give --yes, best with --hash; "fairlead cancel ${id}" rejects the plan.`,
})

export const NOTHING_TO_SET = defineError({
  code: 'NOTHING_TO_SET',
  status: 400,
  retry: 'never',
  message: (app: string) => `Nothing was given to set for "${app}".`,
  hint: () => 'Name a setting: "--help" after the command lists them.',
})
