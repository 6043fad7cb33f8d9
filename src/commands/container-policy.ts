import { forbiddenPorts, overLimit, registryOf, type SandboxLimits } from '#policy/container.ts'
import type { HostRules } from '#policy/rule-context.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { ImageFacts } from '#programs/docker-images.ts'
import { isAllowedHere } from './built-here.ts'
import type { Hands } from './command.ts'
import { type ContainerStartData, SLEEP_LABEL } from './container-data.ts'
import { PORT_REFUSED, SANDBOX_OVER_LIMIT } from './container-errors.ts'
import { IMAGE_REGISTRY_REFUSED } from './image-errors.ts'

type Say = (warning: string) => void

/** What the owner of a host says of ports and limits; the manager looks by what the worker told it of that. */
export interface ContainerRules extends Pick<HostRules, 'mode' | 'ports'> {
  readonly limits?: SandboxLimits | undefined
}

/** The host's own rules for host ports, whatever the manager says. */
export function refuseForbiddenPorts(
  rules: ContainerRules,
  wanted: readonly { readonly host: number }[],
  say: Say,
): void {
  for (const { port, granted, severity } of forbiddenPorts(rules, wanted)) {
    const refusal = PORT_REFUSED(port, granted)
    if (severity === 'error') {
      throw refusal
    }
    say(`warning: ${refusal.message}`)
  }
}

export interface ImageToRun {
  readonly reference: string
  readonly image: Pick<ImageFacts, 'id'>
}

/** Images come from an allowed registry or were built on this host: what they say of themselves does not count. */
export async function refuseForbiddenImage(hands: Hands, { reference, image }: ImageToRun): Promise<void> {
  if (!(await isAllowedHere(hands, reference, image))) {
    throw IMAGE_REGISTRY_REFUSED(registryOf(reference))
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
  const published = own.filter(port => port > 0).map(host => ({ host }))
  refuseForbiddenPorts(policy, published, sayTo(hands))
  await refuseForbiddenImage(hands, { reference: facts.image, image: { id: facts.imageId } })
  if (facts.labels[SLEEP_LABEL.idle] !== undefined) {
    const { memoryBytes, cpus, pids, sharedMemoryBytes, labels } = facts
    const idle = idleIn(labels)
    refuseOver(facts.name, policy.limits ?? {}, {
      ...{ memoryBytes: memoryBytes || undefined, cpus, pids, sharedMemoryBytes, idle },
    })
  }
}

/** What people run who may run anything gets no more than the host allows, whatever the manager says. */
export function refuseOverLimits(
  { limits = {} }: Pick<ContainerRules, 'limits'>,
  data: Pick<ContainerStartData, 'app' | 'sandbox' | 'memoryBytes' | 'cpus' | 'pids' | 'labels'>,
): void {
  if (!data.sandbox) {
    return
  }
  const { memoryBytes, cpus, pids, labels, sandbox } = data
  refuseOver(data.app, limits, {
    ...{ memoryBytes, cpus, pids, sharedMemoryBytes: sandbox.sharedMemoryBytes },
    idle: idleIn(labels),
  })
}

/** Warnings of a host that does not enforce stand in the log of the command. */
export function sayTo(hands: Hands): Say {
  return warning => hands.say(warning, 'stderr')
}

/** Seconds; undefined: it never sleeps, which is written as 0. */
function idleIn(labels: Readonly<Record<string, string>> = {}): number | undefined {
  return Number(labels[SLEEP_LABEL.idle] ?? 0) || undefined
}

function refuseOver(name: string, limits: SandboxLimits, asked: SandboxLimits): void {
  const over = overLimit(limits, asked)
  if (over) {
    throw SANDBOX_OVER_LIMIT(name, over.what, over.wanted, over.most)
  }
}
