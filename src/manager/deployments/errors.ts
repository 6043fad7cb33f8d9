import { defineError } from '#lib/errors.ts'

export const DEPLOYMENT_NOT_FOUND = defineError({
  code: 'DEPLOYMENT_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `There is no deployment "${id}".`,
  hint: () => 'List deployments with "fairlead status" or GET /api/v1/deployments.',
})

export const APP_NOT_FOUND = defineError({
  code: 'APP_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no app "${name}".`,
  hint: () => 'List apps with "fairlead apps", or create one by registering its repository.',
})

export const APP_BEING_REMOVED = defineError({
  code: 'APP_BEING_REMOVED',
  status: 409,
  retry: 'never',
  message: (name: string) => `The app "${name}" is being removed.`,
  hint: () => 'Wait until the removal has ended, then create the app again.',
})

export const APP_STOPPED = defineError({
  code: 'APP_STOPPED',
  status: 409,
  retry: 'never',
  message: (name: string) => `The app "${name}" is stopped, because a person wants that.`,
  hint: name => `A person has to start it: "fairlead apps start ${name}", or "fairlead deploy ${name}".`,
})

export const DEPLOYMENT_ENDED = defineError({
  code: 'DEPLOYMENT_ENDED',
  status: 409,
  retry: 'never',
  message: (id: string, state: string) => `The deployment "${id}" has already ended: ${state}.`,
  hint: () => 'Nothing is left to cancel. Start a new deployment to change what runs.',
})

export const NOT_WAITING = defineError({
  code: 'NOT_WAITING',
  status: 409,
  retry: 'never',
  message: (id: string, state: string) =>
    `The deployment "${id}" does not wait for an approval: it is ${state}.`,
  hint: () => 'A newer one of the app may wait instead: "fairlead status" shows what does.',
})

export const PLAN_IS_ANOTHER = defineError({
  code: 'PLAN_IS_ANOTHER',
  status: 409,
  retry: 'never',
  message: (id: string, hash: string) =>
    `The deployment "${id}" waits with another plan than the one that was approved: ${hash}.`,
  hint: id => `Read the plan as it is now ("fairlead approve ${id}" shows it) and approve that one.`,
})

export const DEPLOYMENT_CANCELLED = defineError({
  code: 'DEPLOYMENT_CANCELLED',
  status: 409,
  retry: 'never',
  message: () => 'The deployment was cancelled.',
  hint: () => 'What ran before still runs. Deploy again when you are ready.',
})

export const STACK_HAS_NO_SOURCE = defineError({
  code: 'STACK_HAS_NO_SOURCE',
  status: 422,
  retry: 'never',
  message: (app: string) =>
    `The app "${app}" is a folder of its host and has no repository: it has no commits, plans and approvals.`,
  hint: (app: string) => `Deploy what lies there now: "fairlead deploy ${app}".`,
})
