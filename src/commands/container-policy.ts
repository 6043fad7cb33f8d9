import { parseReference } from '#formats/image-reference.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
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
  readonly image: Pick<ImageFacts, 'id'>
}

/** Images come from an allowed registry or were built on this host: what they say of themselves does not count. */
export async function refuseForbiddenImage(hands: Hands, { reference, image }: ImageToRun): Promise<void> {
  if (!(await isAllowedHere(hands, reference, image))) {
    throw IMAGE_REGISTRY_REFUSED(parseReference(reference)?.host ?? 'docker.io')
  }
}

/**
 * A container that stopped and is to be started again as it is: its ports and its image, and what people may use who run
 * anything in it, by the rules of now.
 */
export async function refuseForbiddenContainer(hands: Hands, facts: ContainerFacts): Promise<void> {
  const { engine, policy } = hands.host
  const reached = engine?.publish?.ports ?? { from: 1, to: 0 }
  const own = facts.hostPorts.map(Number).filter(port => !(port >= reached.from && port <= reached.to))
  refuseForbiddenPorts(
    hands,
    own.filter(port => port > 0).map(host => ({ host })),
  )
  await refuseForbiddenImage(hands, { reference: facts.image, image: { id: facts.imageId } })
  const most = policy.limits?.memoryBytes
  const memory = facts.memoryBytes || Number.POSITIVE_INFINITY
  if (most !== undefined && memory > most && facts.labels[SLEEP_LABEL.idle] !== undefined) {
    throw SANDBOX_OVER_LIMIT(facts.name, WORDS.memoryBytes, memory, most)
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
