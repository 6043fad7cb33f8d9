import type { FastifyRequest } from 'fastify'

/**
 * What the audit log tells of a body or a query: names of things, roles, times and what happens to data. A field that is
 * not in here is left out, whatever route has it, so that nothing secret gets into a log that is never shortened.
 */
const TOLD: readonly string[] = [
  ...[
    'name',
    'email',
    'role',
    'disabled',
    'owner',
    'kind',
    'scopes',
    'days',
    'machine.role',
    'machine.project',
  ],
  ...['most_apps', 'two_factor', 'issuer', 'link_by_email', 'makes_accounts', 'role_claim'],
  ...[
    'repository',
    'project',
    'host',
    'engine',
    'target',
    'app',
    'apps',
    'service_name',
    'service',
    'branch',
  ],
  ...['commit', 'version', 'release', 'snapshot', 'keep', 'volumes', 'forget', 'revoke', 'force', 'restore'],
  ...['auto_apps', 'commit_actions', 'paused', 'minutes', 'decision', 'all'],
]
const LONGEST = 200
/** Where the answer names what was made. */
const MADE: readonly string[] = ['id', 'details.id', 'person.id', 'name']

/** JSON of what a request asks for; null where nothing of it is told. */
export function detailsOf(request: FastifyRequest): string | null {
  const asked = { ...told(request.query), ...told(request.body) }
  const details = { ...asked, ...(request.madeThing === null ? {} : { made: request.madeThing }) }
  return Object.keys(details).length === 0 ? null : JSON.stringify(details)
}

/** What the answer to a request that made something calls it. */
export function madeBy(payload: unknown): string | null {
  const found = MADE.map(path => at(payload, path)).find(value => typeof value === 'string')
  return found === undefined ? null : (found as string).slice(0, LONGEST)
}

function told(given: unknown): Record<string, unknown> {
  return Object.fromEntries(
    TOLD.flatMap(path => {
      const value = shown(at(given, path))
      return value === undefined ? [] : [[path, value]]
    }),
  )
}

/** Plain values, and lists of them; other shapes are not told. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) {
    const plain = value.slice(0, 20).map(shown)
    return plain.includes(undefined) ? undefined : plain
  }
  if (typeof value === 'string') {
    return value.slice(0, LONGEST)
  }
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

function at(given: unknown, path: string): unknown {
  let value = given
  for (const key of path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined
  }
  return value
}
