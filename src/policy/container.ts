import { parseReference } from '#formats/image-reference.ts'
import type { HostRules } from './rule-context.ts'

/** The most that a container may have in which people run what they like. */
export interface SandboxLimits {
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
  readonly pids?: number | undefined
  readonly sharedMemoryBytes?: number | undefined
  /** Seconds without work. */
  readonly idle?: number | undefined
}

export interface ForbiddenPort {
  readonly port: number
  /** The ports that are granted, in words. */
  readonly granted: string
  /** A host that only warns lets it be. */
  readonly severity: 'error' | 'warning'
}

/** Which of the host's ports nobody may publish there. What is never granted is refused in every mode. */
export function forbiddenPorts(
  { mode, ports: { from, to, never } }: Pick<HostRules, 'mode' | 'ports'>,
  wanted: readonly { readonly host: number }[],
): readonly ForbiddenPort[] {
  const granted = `${from}-${to}${never.length > 0 ? ` but not ${never.join(', ')}` : ''}`
  return wanted
    .map(({ host }) => host)
    .filter(port => port < from || port > to || never.includes(port))
    .map(port => ({
      ...{ port, granted },
      severity: mode === 'enforce' || never.includes(port) ? 'error' : 'warning',
    }))
}

export interface OverLimit {
  readonly what: string
  readonly wanted: number
  readonly most: number
}

/** The first of the limits that is asked too much of. Who does not say what is wanted wants all there is. */
export function overLimit(limits: SandboxLimits, asked: SandboxLimits): OverLimit | undefined {
  return (Object.entries(limits) as [keyof SandboxLimits, number | undefined][])
    .map(([key, most = Number.POSITIVE_INFINITY]) => ({
      ...{ what: WORDS[key], wanted: asked[key] ?? Number.POSITIVE_INFINITY, most },
    }))
    .find(({ wanted, most }) => wanted > most)
}

const WORDS = {
  memoryBytes: 'bytes of memory',
  cpus: 'processors',
  pids: 'processes',
  sharedMemoryBytes: 'bytes of shared memory',
  idle: 'seconds without work',
} as const

/** Whether images of this name may run by their registry alone; an empty list allows all. */
export function isFromAllowedRegistry(
  { registries }: Pick<HostRules, 'registries'>,
  reference: string,
): boolean {
  return registries.length === 0 || registries.includes(registryOf(reference))
}

export function registryOf(reference: string): string {
  return parseReference(reference)?.host ?? 'docker.io'
}
