import { parseReference } from '#formats/image-reference.ts'
import type { ImageFacts } from '#programs/docker-images.ts'
import type { HostPolicy } from './command.ts'
import { LABEL } from './container-data.ts'
import { PORT_REFUSED } from './container-errors.ts'
import { IMAGE_REGISTRY_REFUSED } from './image-errors.ts'

/** The host's own rules for host ports, whatever the manager says. */
export function refuseForbiddenPorts(policy: HostPolicy, ports: readonly { readonly host: number }[]): void {
  const { from, to, never } = policy.ports
  for (const { host } of ports) {
    const inside = policy.mode === 'trusted' || (host >= from && host <= to)
    if (!inside || never.includes(host)) {
      throw PORT_REFUSED(host, `${from}-${to}${never.length > 0 ? ` but not ${never.join(', ')}` : ''}`)
    }
  }
}

export interface ImageToRun {
  readonly app: string
  readonly reference: string
  readonly image: ImageFacts
}

/** Images come from an allowed registry or were built on this host for this app. */
export function refuseForbiddenImage(policy: HostPolicy, { app, reference, image }: ImageToRun): void {
  const host = parseReference(reference)?.host ?? 'docker.io'
  const builtHere = image.labels[LABEL.app] === app
  if (policy.registries.length > 0 && !policy.registries.includes(host) && !builtHere) {
    throw IMAGE_REGISTRY_REFUSED(host)
  }
}
