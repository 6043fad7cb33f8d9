import { SANDBOX_OVER_LIMIT } from './container-errors.ts'
import { type ContainerRules, refuseForbiddenPorts } from './container-policy.ts'
import type { SystemCreateData } from './system-data.ts'

/** What the owner of the host refuses whatever a manager says: other ports, and more than anybody may have. */
export function refuseForbiddenShape(
  rules: ContainerRules,
  { name, shape }: Pick<SystemCreateData, 'name' | 'shape'>,
  say: (warning: string) => void,
): void {
  refuseForbiddenPorts(rules, shape.ports, say)
  const { memoryBytes, cpus, pids } = rules.limits ?? {}
  const asked = [
    [shape.memoryBytes, memoryBytes, 'bytes of memory'],
    [shape.cpus, cpus, 'processors'],
    [shape.processes, pids, 'processes'],
  ] as const
  for (const [wanted, most, what] of asked) {
    if (most !== undefined && wanted > most) {
      throw SANDBOX_OVER_LIMIT(name, what, wanted, most)
    }
  }
}
