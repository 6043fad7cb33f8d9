import { defineError } from '#lib/errors.ts'

export const STEP_TIMED_OUT = defineError({
  code: 'STEP_TIMED_OUT',
  status: 504,
  retry: 'later',
  message: (step: string, limit: string) => `The step "${step}" did not end within ${limit} and was ended.`,
  hint: step =>
    `The last lines of "${step}" in the log show what it was waiting for. If it only needs longer, ${longer(step)}.`,
})

export const DEPLOYMENT_TIMED_OUT = defineError({
  code: 'DEPLOYMENT_TIMED_OUT',
  status: 504,
  retry: 'later',
  message: (limit: string, step: string | undefined) =>
    `The deployment did not end within ${limit}${step === undefined ? '' : ` and was ended in the step "${step}"`}.`,
  hint: () =>
    `The times of its steps show where they went. If it only needs longer, ${longer('deployment')}.`,
})

export const STEP_GIVEN_UP = defineError({
  code: 'STEP_GIVEN_UP',
  status: 409,
  retry: 'later',
  message: (step: string, other: string) => `The step "${step}" was ended because "${other}" failed.`,
  hint: (_step, other) => `The error of "${other}" says what to do.`,
})

/** Steps of a stack, which has no deploy file. */
const OF_STACKS = ['status', 'config', 'pull', 'up']

/** The deploy file is not known before it was read. */
function longer(name: string): string {
  if (OF_STACKS.includes(name)) {
    return `set ${name.toUpperCase()}_TIMEOUT for the manager, in seconds`
  }
  return ['checkout', 'read', 'take-down', 'stop'].includes(name)
    ? `set FAIRLEAD_DEADLINES="${name}=…" for the manager`
    : `write "deadlines: { ${name}: … }" for the app in fairlead.yaml`
}

export const APP_NOT_IN_REPOSITORY = defineError({
  code: 'APP_NOT_IN_REPOSITORY',
  status: 422,
  retry: 'never',
  message: (app: string, where: string) => `The app "${app}" is not described in ${where} at this commit.`,
  hint: () => 'Put it back into fairlead.yaml, or remove the app with "fairlead apps remove".',
})

export const APP_SWITCHED_OFF = defineError({
  code: 'APP_SWITCHED_OFF',
  status: 422,
  retry: 'never',
  message: (app: string) => `The app "${app}" is switched off in its file at this commit.`,
  hint: () => 'Write "enabled": true there, or remove the app with "fairlead apps remove".',
})

export const USED_IMAGE_FAILED = defineError({
  code: 'USED_IMAGE_FAILED',
  status: 422,
  retry: 'later',
  message: (app: string, image: string, deployment: string) =>
    `${app} runs the image of "${image}", whose last deployment ${deployment} failed.`,
  hint: (_app, _image, deployment) =>
    `What ran goes on. "fairlead logs ${deployment}" shows why the image was not built.`,
})

export const APP_REMOVAL_GUARDED = defineError({
  code: 'APP_REMOVAL_GUARDED',
  status: 422,
  retry: 'never',
  message: (app: string) =>
    `A message asks to remove "${app}", but its deployments need an approval: it is not removed by a push.`,
  hint: app => `It goes on running. Remove it with "fairlead apps remove ${app}".`,
})

export const APP_REMOVAL_HELD = defineError({
  code: 'APP_REMOVAL_HELD',
  status: 422,
  retry: 'never',
  message: (app: string, _repository: string, why: string) =>
    `No file wants "${app}" any more, and it is not removed: ${why}.`,
  hint: (_app, repository) =>
    `It goes on running. "fairlead repositories removals ${repository}" lists what waits, and with --go-on removes it; or put its file back.`,
})

export const APP_REMOVAL_WAITS = defineError({
  code: 'APP_REMOVAL_WAITS',
  status: 422,
  retry: 'never',
  message: (app: string, successor: string) =>
    `No file wants "${app}" any more, but "${successor}", which may take its place, could not be deployed.`,
  hint: (app: string, successor: string) =>
    `It goes on running, and is removed when "${successor}" has been deployed or its file is gone. To remove it now: "fairlead apps remove ${app}".`,
})

export const APP_HALF_REPLACED = defineError({
  code: 'APP_HALF_REPLACED',
  status: 422,
  retry: 'never',
  message: (app: string, next: string, missing: string) =>
    `No file wants "${app}" any more and it was ended for "${next}", but "${missing}", which may take the rest of its place, could not be deployed.`,
  hint: (app: string, next: string, missing: string) =>
    `What "${app}" served and "${next}" does not is down until "${missing}" is mended and deployed, or the file of "${app}" is back instead of the new ones. To remove it now: "fairlead apps remove ${app}".`,
})

export const NOTHING_TO_DEPLOY = defineError({
  code: 'NOTHING_TO_DEPLOY',
  status: 422,
  retry: 'never',
  message: (commit: string) => `Commit ${commit.slice(0, 12)} holds nothing that can be deployed.`,
  hint: () =>
    'Add a fairlead.yaml ("fairlead init"), a compose.yaml or a Dockerfile at the root of the repository.',
})

export const COMPOSE_PATH_NOT_FOUND = defineError({
  code: 'COMPOSE_PATH_NOT_FOUND',
  status: 422,
  retry: 'never',
  message: (path: string, commit: string) =>
    `Commit ${commit.slice(0, 12)} has no Compose file ${JSON.stringify(path)}.`,
  hint: () =>
    'Compare the path with the one in the repository (upper and lower case matter), or register the repository with another one.',
})

export const DEPLOY_FILE_INVALID = defineError({
  code: 'DEPLOY_FILE_INVALID',
  status: 422,
  retry: 'never',
  message: (file: string, first: string) => `${file} is not valid: ${first}`,
  hint: () => 'Correct the places listed; "fairlead check" shows them all before you push.',
})

export const SETTINGS_INVALID = defineError({
  code: 'SETTINGS_INVALID',
  status: 422,
  retry: 'never',
  message: (what: string, first: string) => `The settings of ${what} are not valid: ${first}`,
  hint: () => 'Correct them in fairlead.yaml or, if they were set with the app, with "fairlead apps set".',
})

export const DOMAIN_TAKEN_BY_APP = defineError({
  code: 'DOMAIN_TAKEN_BY_APP',
  status: 409,
  retry: 'never',
  message: (host: string) => `The domain "${host}" already belongs to another app.`,
  hint: () => 'Choose another domain in fairlead.yaml, or remove it from the app that has it.',
})

export const REMOTE_SECRET_MISSING = defineError({
  code: 'REMOTE_SECRET_MISSING',
  status: 422,
  retry: 'never',
  message: (app: string, secret: string, remote: string) =>
    `"${app}" takes files from the repository "${remote}", and has no secret "${secret}" to open it.`,
  hint: (app: string, secret: string) =>
    `Set it with "fairlead secrets set ${app} ${secret}": the private key for an SSH address, user:token for HTTPS. Then deploy the app.`,
})

export const REMOTE_HOST_KEYS_MISSING = defineError({
  code: 'REMOTE_HOST_KEYS_MISSING',
  status: 422,
  retry: 'never',
  message: (remote: string, host: string) =>
    `The repository "${remote}" is reached over SSH, and the keys of ${host} are not known.`,
  hint: (remote: string, host: string) =>
    `Put the output of "ssh-keyscan ${host}" into "known_hosts" of repo.${remote}.json, after comparing it with what the server's owner publishes.`,
})

export const STACK_STEP_FAILED = defineError({
  code: 'STACK_STEP_FAILED',
  status: 500,
  retry: 'later',
  message: (step: string, stack: string, exitCode: number) =>
    `"docker compose" ended with exit code ${exitCode} in the step "${step}" of the stack "${stack}".`,
  hint: step =>
    `The last lines of "${step}" say why. Correct the stack's files on the host and deploy again.`,
})

export const STACK_NOT_RUNNING = defineError({
  code: 'STACK_NOT_RUNNING',
  status: 409,
  retry: 'never',
  message: (stack: string) => `No service of the stack "${stack}" is running, so it is not updated.`,
  hint: () => 'Start it once by hand in its folder on the host: docker compose up -d.',
})

export const NO_ARTIFACT_HERE = defineError({
  code: 'NO_ARTIFACT_HERE',
  status: 422,
  retry: 'never',
  message: (app: string, target: string) =>
    `A version was asked for, but "${app}" makes no artefact: its target is "${target}".`,
  hint: () => 'Leave the version out, or give the app the target "image".',
})
