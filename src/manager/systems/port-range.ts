import type { EnvironmentReader } from '#manager/environment.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

const DEFAULT: PortRange = { first: 22_000, last: 22_999 }
const LEAST = 1_024

/** Ports of hosts that are given to system containers. */
export function readSystemPorts(reader: EnvironmentReader): PortRange {
  const given = reader.matching('FAIRLEAD_SYSTEM_PORTS', /^\d{4,5}-\d{4,5}$/, 'a range such as 22000-22999')
  if (given === undefined) {
    return DEFAULT
  }
  const [first = 0, last = 0] = given.split('-').map(Number)
  if (first < LEAST || last > 65_535 || first > last) {
    reader.refuse(
      'FAIRLEAD_SYSTEM_PORTS',
      `is no range of ports from ${LEAST} to 65535`,
      'such as 22000-22999',
    )
  }
  return { first, last }
}
