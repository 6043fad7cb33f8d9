import type { HostRecord } from './hosts.ts'

/** What to say of a worker whose ports nobody opens and closes; undefined where a guardian does, or is meant. */
export function guardianAdvice({
  name,
  role,
  guardian,
}: Pick<HostRecord, 'name' | 'role' | 'guardian'>): string | undefined {
  return role === 'guardian' || guardian !== null
    ? undefined
    : `It has no guardian: nobody closes the ports that no app opens. Let one join ("fairlead hosts add --guardian"), and assign it: "fairlead firewall guard ${name} <guardian>".`
}
