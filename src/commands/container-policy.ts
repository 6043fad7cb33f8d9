import { parseReference } from '#formats/image-reference.ts'
import type { ImageFacts } from '#programs/docker-images.ts'
import { isAllowedHere } from './built-here.ts'
import type { Hands, HostPolicy, SandboxLimits } from './command.ts'
import { type ContainerStartData, SLEEP_LABEL } from './container-data.ts'
import { PORT_REFUSED, SANDBOX_OVER_LIMIT } from './container-errors.ts'
import { IMAGE_REGISTRY_REFUSED } from './image-errors.ts'

/** The host's own rules for host ports, whatever the manager says. */
export function refuseForbiddenPorts(hands: Hands, ports: readonly { readonly host: number }[]): void {
  const { mode } = hands.host.policy
  const { from, to, never } = hands.host.policy.ports
  for (const { host } of ports) {
    const inside = host >= from && host <= to
    if (inside && !never.includes(host)) {
      continue
    }
    const refusal = PORT_REFUSED(
      host,
      `${from}-${to}${never.length > 0 ? ` but not ${never.join(', ')}` : ''}`,
    )
    if (mode === 'enforce' || never.includes(host)) {
      throw refusal
    }
    hands.say(`warning: ${refusal.message}`, 'stderr')
  }
}

export interface ImageToRun {
  readonly reference: string
  readonly image: ImageFacts
}

/** Images come from an allowed registry or were built on this host: what they say of themselves does not count. */
export async function refuseForbiddenImage(hands: Hands, { reference, image }: ImageToRun): Promise<void> {
  if (!(await isAllowedHere(hands, reference, image))) {
    throw IMAGE_REGISTRY_REFUSED(parseReference(reference)?.host ?? 'docker.io')
  }
}

/** What people run who may run anything gets no more than the host allows, whatever the manager says. */
export function refuseOverLimits(
  { limits = {} }: HostPolicy,
  data: Pick<ContainerStartData, 'app' | 'sandbox' | 'memoryBytes' | 'cpus' | 'pids' | 'labels'>,
): void {
  if (!data.sandbox) {
    return
  }
  const { memoryBytes, cpus, pids, labels, sandbox } = data
  const asked = {
    ...{ memoryBytes, cpus, pids, sharedMemoryBytes: sandbox.sharedMemoryBytes },
    // 0: it never sleeps.
    idle: Number(labels?.[SLEEP_LABEL.idle] ?? 0) || undefined,
  }
  for (const [key, most] of Object.entries(limits) as [keyof SandboxLimits, number][]) {
    const wanted = asked[key] ?? Number.POSITIVE_INFINITY
    if (wanted > most) {
      throw SANDBOX_OVER_LIMIT(data.app, WORDS[key], wanted, most)
    }
  }
}

const WORDS = {
  memoryBytes: 'bytes of memory',
  cpus: 'processors',
  pids: 'processes',
  sharedMemoryBytes: 'bytes of shared memory',
  idle: 'seconds without work',
} as const
