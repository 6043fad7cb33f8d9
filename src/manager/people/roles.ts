import { ROLES, type RoleName } from '#contract/rest/people.ts'
import type { Scope } from '#contract/rest/tokens.ts'
import type { Speaker } from './tokens.ts'

/** Whether what somebody has is enough. */
export function isAtLeast(has: RoleName | null, needed: RoleName): boolean {
  return rank(has) >= rank(needed)
}

/** Whether the whole manager is theirs, also with what they have shown. */
export function isAdmin({ role, scopes }: Pick<Speaker, 'role' | 'scopes'>): boolean {
  return role === 'admin' && (scopes?.includes(SCOPE_OF.admin) ?? true)
}

export function highest(...roles: readonly (RoleName | null | undefined)[]): RoleName | null {
  return ROLES.findLast(role => roles.includes(role)) ?? null
}

/** What a token needs besides the role of its person. */
export const SCOPE_OF: Readonly<Record<RoleName, Scope>> = {
  viewer: 'read',
  deployer: 'deploy',
  maintainer: 'maintain',
  admin: 'admin',
}

function rank(role: RoleName | null): number {
  return role === null ? -1 : ROLES.indexOf(role)
}
