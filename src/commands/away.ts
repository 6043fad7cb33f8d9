/** The engine, or the proxy, was not there or went away in the middle of a question. */
const CODES = [
  'ENGINE_UNREACHABLE',
  'ENGINE_BROKE_OFF',
  'COMPOSE_BROKE_OFF',
  'SWARM_BROKE_OFF',
  'SWARM_STARTING',
]

/**
 * Whether a command failed because what it needs on its host was being restarted. Commands look at what is there before
 * they act, so that one can be told again as soon as it is back.
 */
export function wasAway({ code }: { readonly code: string }): boolean {
  return CODES.includes(code)
}
