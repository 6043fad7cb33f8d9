import { defineError } from '#lib/errors.ts'

export const HOST_NOT_FOUND = defineError({
  code: 'HOST_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (host: string) => `There is no host "${host}".`,
  hint: () =>
    'List the hosts with "fairlead hosts"; a new one joins with the command that "fairlead hosts add" prints.',
})

export const AGENT_OFFLINE = defineError({
  code: 'AGENT_OFFLINE',
  status: 503,
  retry: 'later',
  message: (agent: string, why: string) => `The agent "${agent}" is not connected${why ? `: ${why}` : '.'}`,
  hint: (agent: string) =>
    `Start it on its host with "systemctl start fairlead-worker", then look at "fairlead hosts ${agent}".`,
})

export const AGENT_UNREACHABLE = defineError({
  code: 'AGENT_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (agent: string, why: string) => `The agent "${agent}" cannot be reached (${why}).`,
  hint: (_agent: string, why: string) => hintFor(why),
})

export const AGENT_REFUSED = defineError({
  code: 'AGENT_REFUSED',
  status: 503,
  retry: 'later',
  message: (agent: string, why: string) => `The agent "${agent}" hung up: ${why}`,
  hint: () => 'Read the log of the agent on its host; it says whom it refused and why.',
})

export const AGENT_UNPROVEN = defineError({
  code: 'AGENT_UNPROVEN',
  status: 502,
  retry: 'never',
  message: (agent: string, why: string) => `What answers as the agent "${agent}" is not it: ${why}`,
  hint: () =>
    'If the agent has a new identity on purpose, pin its new public identity; otherwise someone is in between.',
})

export const AGENT_MISBEHAVES = defineError({
  code: 'AGENT_MISBEHAVES',
  status: 502,
  retry: 'later',
  message: (agent: string, why: string) => `The agent "${agent}" broke the protocol: ${why}`,
  hint: () => 'Update the agent; if it is up to date, look at its host for signs of a break-in.',
})

export const BAD_ANSWER = defineError({
  code: 'BAD_ANSWER',
  status: 502,
  retry: 'never',
  message: (what: string, first: string) => `${what} is not what was asked for: ${first}`,
  hint: () => 'Bring manager and agent to the same release.',
})

export const COMMAND_LOST = defineError({
  code: 'COMMAND_LOST',
  status: 503,
  retry: 'later',
  message: (command: string) => `The agent accepted ${command} and knows nothing of it any more.`,
  hint: () => 'Look at what runs on the host, then try the step again; Fairlead does so by itself.',
})

export const COMMAND_LEFT = defineError({
  code: 'COMMAND_LEFT',
  status: 503,
  retry: 'later',
  message: (command: string) => `${command} goes on while this manager stops.`,
  hint: () => 'Nothing to do: it is followed again after the start.',
})

export const COMMAND_TOO_LARGE = defineError({
  code: 'COMMAND_TOO_LARGE',
  status: 413,
  retry: 'never',
  message: (command: string, bytes: number) =>
    `${command} has ${bytes} bytes of data, more than an agent takes.`,
  hint: () => 'Make the files that travel with it smaller (compose files, generated configuration).',
})

export const HOST_KEY_NOT_RENEWED = defineError({
  code: 'HOST_KEY_NOT_RENEWED',
  status: 504,
  retry: 'later',
  message: (agent: string) => `The agent "${agent}" did not come with a new key yet.`,
  hint: (agent: string) =>
    `Look at "fairlead hosts": its key changes as soon as ${agent} is connected with the new one. An agent of an older release cannot do it.`,
})

function hintFor(why: string): string {
  if (why.includes('CERT_HAS_EXPIRED') || why.includes('CERT_NOT_YET_VALID')) {
    return 'Compare the clocks of both hosts. If a certificate has ended, run "init" again there and pin what it prints.'
  }
  if (why.includes('CERT') || why.includes('ALTNAME') || why.includes('alert')) {
    return 'One side does not pin the certificate of the other: pin the public identities again, both ways.'
  }
  return 'Check that the agent runs, its address, and that no firewall is in between.'
}
