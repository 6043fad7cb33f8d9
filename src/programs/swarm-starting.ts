import { defineError } from '#lib/errors.ts'

export const SWARM_STARTING = defineError({
  code: 'SWARM_STARTING',
  status: 503,
  retry: 'later',
  message: (why: string) => `The engine cannot tell of its swarm yet: ${why}.`,
  hint: () =>
    'It was just started, or too few managers are there to choose a leader ("docker node ls"). It is asked again.',
})
