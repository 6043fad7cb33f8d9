import { defineError } from '#lib/errors.ts'

export const CONTAINER_EXITED = defineError({
  code: 'CONTAINER_EXITED',
  status: 422,
  retry: 'never',
  message: (app: string, why: string) => `The new container of "${app}" ended instead of running: ${why}.`,
  hint: (_app: string, why: string) => `${whatToDoAfter(why)} What ran before goes on running.`,
})

function whatToDoAfter(why: string): string {
  if (why.includes('memory')) {
    return 'Give it more with "memory" in the deploy file, or let the program use less.'
  }
  return /exit code 12[67]\b/.test(why)
    ? 'The program to start was not found or may not be executed: correct "command" (a list of words; a shell must be named: ["sh", "-c", "…"]) or the CMD and ENTRYPOINT of the Dockerfile.'
    : 'Its last log lines say why. Correct the program, its command or its environment and push again.'
}

export const CONTAINER_UNHEALTHY = defineError({
  code: 'CONTAINER_UNHEALTHY',
  status: 422,
  retry: 'never',
  message: (app: string, seconds: number, what: string) =>
    `The new container of "${app}" did not become healthy within ${seconds} s: ${what}.`,
  hint: () =>
    'Check that the program listens on all addresses (0.0.0.0) at the configured "port" and that "health" names what it answers; a slow start needs a longer "health.within". What ran before goes on running.',
})

export const CONTAINER_TOKEN_REFUSED = defineError({
  code: 'CONTAINER_TOKEN_REFUSED',
  status: 422,
  retry: 'never',
  message: (app: string, path: string, status: number) =>
    `The new server of "${app}" refuses the token that it was given (GET ${path} answers with status ${status}): nobody could open it.`,
  hint: () =>
    'It has another token or a password, from its Dockerfile, its program "start" or a configuration of Jupyter. Take that out: the token is in the file that JUPYTER_TOKEN_FILE names, and "nb-entrypoint" of the base images hands it over. What ran before goes on running.',
})

export const PORT_TAKEN = defineError({
  code: 'PORT_TAKEN',
  status: 409,
  retry: 'never',
  message: (port: string, owner: string) =>
    `Port ${port} of the host is already taken${owner ? ` by ${owner}` : ''}.`,
  hint: (port: string) =>
    `Publish another host port in "ports", stop what uses ${port} ("ss -ltnp" on the host shows it), or leave "ports" out and use a domain: then no host port is needed.`,
})

export const PORT_REFUSED = defineError({
  code: 'PORT_REFUSED',
  status: 403,
  retry: 'never',
  message: (port: number, allowed: string) =>
    `Port ${port} may not be published on this host (allowed: ${allowed}).`,
  hint: () =>
    'Use a port of that range, or a domain instead of "ports"; the range stands in the policy file of the worker on this host.',
})

export const CONTAINER_START_REFUSED = defineError({
  code: 'CONTAINER_START_REFUSED',
  status: 422,
  retry: 'never',
  message: (app: string, reason: string) => `The Docker engine refuses to start "${app}": ${reason}`,
  hint: () => 'Correct the named setting and push again. What ran before goes on running.',
})

export const CONTAINER_NOT_FOUND = defineError({
  code: 'CONTAINER_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (what: string) => `There is no container of "${what}" on this host.`,
  hint: () => 'Deploy the app first, or look at the apps and containers of this host for the right name.',
})

export const NETWORK_UNAVAILABLE = defineError({
  code: 'NETWORK_UNAVAILABLE',
  status: 503,
  retry: 'never',
  message: (name: string, subnet: string, reason: string) =>
    `The network "${name}" (${subnet}) for containers cannot be used: ${reason}`,
  hint: () =>
    'Another network of this host may have these addresses ("docker network ls", "ip route"): set another subnet in the configuration of the worker and restart it.',
})

export const CONTAINER_NOT_AS_PLANNED = defineError({
  code: 'CONTAINER_NOT_AS_PLANNED',
  status: 409,
  retry: 'later',
  message: (container: string, why: string) =>
    `The container "${container}" is not as it was planned: ${why}.`,
  hint: () =>
    'Look at the log of the app ("fairlead logs"), then deploy again. What ran before goes on running.',
})

export const CONTAINER_NOT_STEADY = defineError({
  code: 'CONTAINER_NOT_STEADY',
  status: 422,
  retry: 'never',
  message: (container: string, seconds: number, why: string) =>
    `The container "${container}" did not stay well for the ${seconds} s that it is watched: ${why}.`,
  hint: () =>
    'Its last log lines say why. Correct the program or its health check and push again; "verify.settle" in the deploy file says how long it is watched.',
})

export const SANDBOX_OVER_LIMIT = defineError({
  code: 'SANDBOX_OVER_LIMIT',
  status: 403,
  retry: 'never',
  message: (app: string, what: string, asked: number, most: number) =>
    `"${app}" asks for ${what} ${asked}, and this host gives at most ${most}.`,
  hint: (_app: string, what: string) =>
    `Ask for less ${what}, or have the owner of the host raise it: "limits" in the policy file of its worker.`,
})

export const VOLUME_TAKEN = defineError({
  code: 'VOLUME_TAKEN',
  status: 409,
  retry: 'never',
  message: (app: string, name: string, owner: string) =>
    owner === ''
      ? `There is a volume "${name}" already, and nothing says that it is one of the app "${app}".`
      : `The volume "${name}", which "${app}" would have, belongs to ${owner}.`,
  hint: (app: string, name: string) =>
    `Give the volume another name in the deploy file, or the app another name. If it is for this app all the same, the owner of the host lets the app take it over in the policy of the worker: "adopt: { ${app}: [${name}] }".`,
})
