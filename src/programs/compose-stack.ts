import { AS_LONG_AS_COMMAND_MS, type ProgramCall, type ProgramOutput, SEARCH_PATH } from '#exec/call.ts'

/** What is done with a stack, in this order. */
export const STACK_STEPS = ['status', 'config', 'pull', 'up'] as const
export type StackStep = (typeof STACK_STEPS)[number]

export interface Stack {
  /** Absolute; Compose starts in it and finds its files and its `.env` there. */
  readonly folder: string
  /** It has a `.docker/config.json`: accounts at registries of its own. */
  readonly hasOwnConfig: boolean
  readonly socket: string
  /** HOME of the docker CLI. */
  readonly home: string
}

/** These words, no more: what a person at the host would type gives the same. */
const WORDS: Readonly<Record<StackStep, readonly string[]>> = {
  status: ['ps', '--status=running', '--services'],
  config: ['config'],
  pull: ['pull'],
  up: ['up', '-d', '--remove-orphans'],
}

/** However it ends, that is an answer. */
const ANY_CODE = Array.from({ length: 256 }, (_, code) => code)

/** One Compose command in the folder of a stack, with nothing of the worker's environment. */
export function composeStack(
  { folder, hasOwnConfig, socket, home }: Stack,
  step: StackStep,
): ProgramCall<ProgramOutput> {
  const changes = step === 'pull' || step === 'up'
  return {
    kind: 'program',
    program: 'docker',
    args: ['compose', ...WORDS[step]],
    cwd: folder,
    env: {
      PATH: SEARCH_PATH,
      HOME: home,
      DOCKER_HOST: `unix://${socket}`,
      ...(hasOwnConfig ? { DOCKER_CONFIG: `${folder}/.docker` } : {}),
    },
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    okCodes: ANY_CODE,
    // The whole configuration, with every secret of the stack in it, is nothing to be shown.
    show: step === 'config' ? 'stderr' : 'both',
    ...(changes ? { outlives: `docker compose ${step} in ${folder}` } : {}),
    read: output => output,
  }
}
