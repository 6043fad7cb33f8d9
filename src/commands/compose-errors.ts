import { defineError } from '#lib/errors.ts'

export const COMPOSE_FILE_MISSING = defineError({
  code: 'COMPOSE_FILE_MISSING',
  status: 422,
  retry: 'never',
  message: (file: string, commit: string) => `There is no "${file}" in commit ${commit.slice(0, 12)}.`,
  hint: () =>
    'Commit the file, or correct its name where it is mentioned ("files" in the deploy file, "env_file", "include", "extends").',
})

export const COMPOSE_INVALID = defineError({
  code: 'COMPOSE_INVALID',
  status: 422,
  retry: 'never',
  message: (place: string, reason: string) => `Compose does not accept ${place}: ${reason}`,
  hint: () =>
    'Correct that place and push again; "docker compose config" on your own machine shows the same.',
})

export const COMPOSE_NOT_ALLOWED = defineError({
  code: 'COMPOSE_NOT_ALLOWED',
  status: 422,
  retry: 'never',
  message: (count: number, first: string) =>
    count === 1
      ? `This host does not allow what is asked: ${first}`
      : `This host does not allow ${count} things that are asked; the first: ${first}`,
  hint: () =>
    'Each finding says where it stands and what to write instead. The owner of the host decides what is allowed, in the policy file of its worker.',
})

export const RELEASE_FORBIDDEN = defineError({
  code: 'RELEASE_FORBIDDEN',
  status: 422,
  retry: 'never',
  message: (
    { host, project, made }: { readonly host: string; readonly project: string; readonly made: string },
    count: number,
    first: string,
  ) =>
    `The policy of the host "${host}" forbids this version of "${project}", which was checked ${made}: ${first}${
      count === 1 ? '' : ` (and ${count - 1} more)`
    }`,
  hint: () =>
    'It is not started; what still runs goes on. Deploy a commit that the policy of the host allows, or ask the owner of the host, who has changed that policy since.',
})

export const COMPOSE_VARIABLE_RESERVED = defineError({
  code: 'COMPOSE_VARIABLE_RESERVED',
  status: 422,
  retry: 'never',
  message: (name: string) =>
    `The variable "${name}" may not be set for a Compose project: the docker program itself reads it.`,
  hint: (name: string) => `Rename "${name}" in "environment" of the deploy file and in the Compose file.`,
})

export const COMPOSE_SECRET_IN_BUILD = defineError({
  code: 'COMPOSE_SECRET_IN_BUILD',
  status: 422,
  retry: 'never',
  message: (service: string, arg: string) =>
    `The build argument "${arg}" of "${service}" holds a secret, which would stay in the image.`,
  hint: () =>
    'Use "secrets" in "build" with a top-level secret of kind "environment", and RUN --mount=type=secret in the Dockerfile.',
})

export const COMPOSE_BUILD_SECRET_UNSUPPORTED = defineError({
  code: 'COMPOSE_BUILD_SECRET_UNSUPPORTED',
  status: 422,
  retry: 'never',
  message: (service: string, secret: string) =>
    `The build of "${service}" wants the secret "${secret}", which is not one of kind "environment".`,
  hint: (_service: string, secret: string) =>
    `Write: secrets: { ${secret}: { environment: NAME } } and set NAME in the app's environment.`,
})

export const COMPOSE_PROJECT_TAKEN = defineError({
  code: 'COMPOSE_PROJECT_TAKEN',
  status: 409,
  retry: 'never',
  message: (project: string, owner: string) =>
    `The name "${project}" on this host belongs to the app "${owner}".`,
  hint: () =>
    'Give this app another "project" (of a stack: "stack") in its settings, or remove the other app first.',
})

export const NAME_TAKEN = defineError({
  code: 'NAME_TAKEN',
  status: 409,
  retry: 'never',
  message: (kind: string, name: string, owner: string, _own: string) =>
    owner === ''
      ? `There is a ${kind} "${name}" already, and nothing says that it is this app's.`
      : `The ${kind} "${name}" belongs to ${owner}.`,
  hint: (kind: string, name: string, _owner: string, own: string) =>
    `Give the ${kind} another key in the Compose files, or the app another "project" (of a stack: "stack"). If it is for this app all the same, the owner of the host lets the app take it over in the policy of the worker: "adopt: { ${own}: [${name}] }".`,
})

export const COMPOSE_ORIGINAL_GONE = defineError({
  code: 'COMPOSE_ORIGINAL_GONE',
  status: 409,
  retry: 'never',
  message: (project: string, name: string) =>
    `A file that "${project}" mounts was edited on the host, and its original (${name.slice(0, 18)}) is gone too.`,
  hint: (project: string) =>
    `Remove renders/${project}/files/ from the worker's workspace and deploy the commit again.`,
})

export const COMPOSE_RENDER_GONE = defineError({
  code: 'COMPOSE_RENDER_GONE',
  status: 410,
  retry: 'later',
  message: (project: string, render: string) =>
    `The rendered configuration ${render.slice(0, 12)} of "${project}" is no longer on this host.`,
  hint: () => 'Deploy the commit again: it is rendered anew.',
})

export const COMPOSE_SERVICE_EXITED = defineError({
  code: 'COMPOSE_SERVICE_EXITED',
  status: 422,
  retry: 'never',
  message: (service: string, why: string) => `The service "${service}" ended instead of running: ${why}.`,
  hint: (_service: string, why: string) =>
    why.includes('memory')
      ? 'Give it more memory in the Compose file, or let the program use less.'
      : 'Its last log lines say why. Correct the program, its command or its environment and push again.',
})

export const COMPOSE_SERVICE_UNHEALTHY = defineError({
  code: 'COMPOSE_SERVICE_UNHEALTHY',
  status: 422,
  retry: 'never',
  message: (service: string, what: string) => `The service "${service}" did not become healthy: ${what}.`,
  hint: () =>
    'Look at its last log lines and at its "healthcheck" in the Compose file; a slow start needs a longer "verify.within" in the deploy file.',
})

export const COMPOSE_PORT_TAKEN = defineError({
  code: 'COMPOSE_PORT_TAKEN',
  status: 409,
  retry: 'never',
  message: (port: number, owner: string) =>
    `Port ${port} of the host is already taken${owner === '' ? '' : ` by ${owner}`}.`,
  hint: (port: number) =>
    `Publish another host port, stop what uses ${port} ("ss -ltnp" on the host shows it), or use "expose" and a route: then no host port is needed.`,
})

export const COMPOSE_IMAGE_MISSING = defineError({
  code: 'COMPOSE_IMAGE_MISSING',
  status: 422,
  retry: 'later',
  message: (image: string, reason: string) => `The image ${image} cannot be had: ${reason}.`,
  hint: (image: string) =>
    `Check that ${image} exists and is spelt right, that this host reaches its registry, and that a credential for it is stored.`,
})

export const COMPOSE_BROKE_OFF = defineError({
  code: 'COMPOSE_BROKE_OFF',
  status: 503,
  retry: 'later',
  message: (project: string, reason: string) =>
    `The engine went away while the project "${project}" was being changed: ${reason}`,
  hint: () => 'Look at "journalctl -u docker" on the host for why it stopped, then deploy again.',
})

export const COMPOSE_REFUSED = defineError({
  code: 'COMPOSE_REFUSED',
  status: 422,
  retry: 'never',
  message: (project: string, reason: string) => `The project "${project}" cannot be started: ${reason}`,
  hint: (_project: string, reason: string) =>
    /executable file not found|no such file|permission denied/.test(reason)
      ? 'Correct "command" or "entrypoint" of the service, or CMD and ENTRYPOINT of its Dockerfile.'
      : 'Correct what the message names and push again.',
})

export const COMPOSE_NOT_AS_PLANNED = defineError({
  code: 'COMPOSE_NOT_AS_PLANNED',
  status: 500,
  retry: 'later',
  message: (service: string, what: string) => `The service "${service}" does not run as planned: ${what}.`,
  hint: () => 'Something else changed it, or it ended meanwhile. Look at its log, then deploy again.',
})

export const COMPOSE_STILL_SERVES = defineError({
  code: 'COMPOSE_STILL_SERVES',
  status: 409,
  retry: 'later',
  message: (project: string) =>
    `Requests still go to a container of the failed release of "${project}", so it stays.`,
  hint: () =>
    'Nothing else answers at that address. Look at the log of the service, mend it and deploy again.',
})
