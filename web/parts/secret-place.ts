export const SECRET_PLACES = ['apps', 'repositories', 'hosts'] as const
const PLACE = new RegExp(`^/(?:${SECRET_PLACES.join('|')})/[A-Za-z0-9][A-Za-z0-9._-]*$`)

/**
 * Whose secrets the address of the page asks for, as a path of the API: '' when it asks for nobody's, undefined when that is
 * none. Never somebody else's instead: who came by a link would give a password to the wrong app.
 */
export function secretPlace(of: unknown): string | undefined {
  if (of === undefined || of === null || of === '') {
    return ''
  }
  return typeof of === 'string' && PLACE.test(of) ? of : undefined
}
