import type { SystemChange, SystemDocument } from '#contract/rest/systems.ts'
import { sizeFrom, sizeText } from '#web/parts/size.ts'

/** Limits as they stand in a form. */
export interface LimitTexts {
  memory: string
  cpus: string
  processes: string
  disk: string
}

export const USUAL_LIMITS: LimitTexts = { memory: '1 GB', cpus: '1', processes: '1000', disk: '' }

export function limitTexts(system: SystemDocument): LimitTexts {
  return {
    memory: sizeText(system.memory_bytes),
    cpus: String(system.cpus),
    processes: String(system.processes),
    disk: system.disk_bytes === null ? '' : sizeText(system.disk_bytes),
  }
}

type Limits = Pick<SystemChange, 'memory_bytes' | 'cpus' | 'processes' | 'disk_bytes'>

/** What the form asks for, and which of its fields nobody can read. */
export function readLimits({ memory, cpus, processes, disk }: LimitTexts): {
  readonly limits: Limits
  readonly problems: Partial<LimitTexts>
} {
  const [memoryBytes, diskBytes] = [sizeFrom(memory), disk.trim() === '' ? null : sizeFrom(disk)]
  const sizeHelp = 'Write it as “512 MB” or “2 GB”.'
  return {
    limits: {
      ...(memoryBytes === undefined ? {} : { memory_bytes: memoryBytes }),
      ...(diskBytes === undefined ? {} : { disk_bytes: diskBytes }),
      cpus: Number(cpus),
      processes: Number(processes),
    },
    problems: {
      ...(memoryBytes === undefined ? { memory: sizeHelp } : {}),
      ...(diskBytes === undefined ? { disk: sizeHelp } : {}),
      ...(Number(cpus) > 0 ? {} : { cpus: 'A number is wanted, such as 0.5 or 2.' }),
      ...(Number.isInteger(Number(processes)) && Number(processes) >= 10
        ? {}
        : { processes: 'At least 10 are needed.' }),
    },
  }
}
