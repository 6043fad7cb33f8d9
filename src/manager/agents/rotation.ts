import type { Identity } from '#link/identity.ts'
import type { AgentLink } from './agent-link.ts'

/** Tells the agent which certificate this manager will show next, if it has one. */
export function announceNext({ certificates }: Identity, link: AgentLink): void {
  certificates.renew()
  if (certificates.next) {
    const { certificate, binding, notAfter } = certificates.next
    link.send('rotate', { certificate, binding, notAfter })
  }
}
