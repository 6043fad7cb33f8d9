import { defineError } from '#lib/errors.ts'

export const SWARM_MISSING = defineError({
  code: 'SWARM_MISSING',
  status: 409,
  retry: 'never',
  message: (host: string) =>
    `The Docker engine of the worker "${host}" is in no swarm, and a stack runs in one.`,
  hint: () => 'Start one on the host: "docker swarm init". One machine is enough; others join it later.',
})

export const SWARM_NOT_MANAGED = defineError({
  code: 'SWARM_NOT_MANAGED',
  status: 409,
  retry: 'never',
  message: (host: string, why: string) =>
    `The Docker engine of the worker "${host}" cannot manage its swarm: ${why}.`,
  hint: () =>
    'Run the worker on a manager node ("docker node ls" works there), or make this node one: "docker node promote". A locked swarm needs "docker swarm unlock".',
})

export const SWARM_STACK_TAKEN = defineError({
  code: 'SWARM_STACK_TAKEN',
  status: 409,
  retry: 'never',
  message: (stack: string, owner: string) =>
    owner === ''
      ? `The swarm has a stack "${stack}" already, which was not deployed by Fairlead.`
      : `The stack "${stack}" of this swarm belongs to the app "${owner}".`,
  hint: (stack: string, owner: string) =>
    owner === ''
      ? `Give this app another "stack" in its settings, or remove the other one: "docker stack rm ${stack}".`
      : 'Give this app another "stack" in its settings, or remove the other app first.',
})

export const SWARM_IMAGE_NOT_SHARED = defineError({
  code: 'SWARM_IMAGE_NOT_SHARED',
  status: 422,
  retry: 'never',
  message: (image: string, nodes: number) =>
    `The image ${image} is in no registry, so ${nodes - 1} of the ${nodes} nodes of the swarm cannot have it.`,
  hint: () =>
    'Give Fairlead a registry that every node reaches (FAIRLEAD_REGISTRY) and do not switch "push" off; or use an image of a registry.',
})

export const SWARM_REFUSED = defineError({
  code: 'SWARM_REFUSED',
  status: 422,
  retry: 'never',
  message: (stack: string, reason: string) => `The swarm does not take the stack "${stack}": ${reason}`,
  hint: () => 'Correct what the message names in the Compose files and push again.',
})

export const SWARM_PORT_TAKEN = defineError({
  code: 'SWARM_PORT_TAKEN',
  status: 409,
  retry: 'later',
  message: (stack: string, reason: string) =>
    `The stack "${stack}" wants a port that another stack of the swarm has: ${reason}`,
  hint: () =>
    'Publish another port, or remove the other stack; one that its files want no more goes by itself, and then this one is tried again.',
})

export const SWARM_BROKE_OFF = defineError({
  code: 'SWARM_BROKE_OFF',
  status: 503,
  retry: 'later',
  message: (stack: string, reason: string) =>
    `The engine went away while the stack "${stack}" was being changed: ${reason}`,
  hint: () => 'Look at "journalctl -u docker" on the host for why it stopped, then deploy again.',
})

export const SWARM_FILE_REFUSED = defineError({
  code: 'SWARM_FILE_REFUSED',
  status: 422,
  retry: 'never',
  message: (what: string, why: string) => `The ${what} of this stack cannot be made: ${why}.`,
  hint: () => 'A secret or config is a text of at most 500 kB. Put anything else into the image or a volume.',
})

export const SWARM_ROLLED_BACK = defineError({
  code: 'SWARM_ROLLED_BACK',
  status: 422,
  retry: 'never',
  message: (service: string, why: string) =>
    `The new tasks of "${service}" failed, and the swarm went back to the old ones: ${why}.`,
  hint: () =>
    'The last log lines of the task say more. Correct the program, its health check or its image and push again.',
})

export const SWARM_TASKS_FAIL = defineError({
  code: 'SWARM_TASKS_FAIL',
  status: 422,
  retry: 'never',
  message: (service: string, why: string) => `The tasks of "${service}" do not stay up: ${why}.`,
  hint: () =>
    'The last log lines of the task say more. Correct the program, its health check or its image and push again.',
})

export const SWARM_NOT_CONVERGED = defineError({
  code: 'SWARM_NOT_CONVERGED',
  status: 504,
  retry: 'never',
  message: (service: string, why: string, seconds: number) =>
    `The service "${service}" was not as wanted after ${seconds} s: ${why}.`,
  hint: (_service: string, why: string) =>
    /no suitable node/.test(why)
      ? 'No node is up that fulfils its "placement" and has enough free for its "reservations" ("docker node ls").'
      : 'Look at "docker service ps" on the host; a slow start needs a longer "verify.within" in the deploy file.',
})

export const SWARM_NOT_AS_PLANNED = defineError({
  code: 'SWARM_NOT_AS_PLANNED',
  status: 500,
  retry: 'later',
  message: (service: string, what: string) => `The service "${service}" does not run as planned: ${what}.`,
  hint: () => 'Something else changed it, or it ended meanwhile. Look at its log, then deploy again.',
})

export const SWARM_SILENT = defineError({
  code: 'SWARM_SILENT',
  status: 422,
  retry: 'never',
  message: (place: string, what: string) =>
    `The stack runs, but ${place} does not answer as wanted: ${what}.`,
  hint: () =>
    'Ask it from the host with curl. An ingress port needs IPVS in the kernel of every node ("modprobe ip_vs") and open ports 7946 and 4789 between them; "mode: host" needs neither.',
})

export const SWARM_LEFTOVERS = defineError({
  code: 'SWARM_LEFTOVERS',
  status: 409,
  retry: 'later',
  message: (stack: string, what: string) => `Of the stack "${stack}" something is left: ${what}.`,
  hint: () =>
    'A node that is down keeps its tasks. Bring it back, or take it out with "docker node rm --force", then try again.',
})
