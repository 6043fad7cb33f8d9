import { isIP } from 'node:net'
import { type Command, InvalidArgumentError } from 'commander'
import { parsePort } from './up-options.ts'

export interface WantedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly container: number
  readonly sources: readonly string[]
}

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `512m`, `2g`: in bytes. */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^([1-9]\d{0,8})([kmgt])(?:i?b)?$/i.exec(text) ?? []
  const bytes = Number(number) * (UNITS[unit.toLowerCase()] ?? 0)
  if (bytes === 0) {
    throw new InvalidArgumentError('Expected a size such as 512m or 2g.')
  }
  return bytes
}

export function parseAmount(text: string): number {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError('Expected a number above 0.')
  }
  return Number(text)
}

/** `8080`, `53/udp`, `8080=10.0.0.0/8,@github-hooks`; commander gives those before it. */
export function readPort(text: string, before: readonly WantedPort[] = []): readonly WantedPort[] {
  const [place = '', from] = text.split('=', 2)
  const [port = '', protocol = 'tcp'] = place.split('/')
  const sources = from === undefined ? [] : from.split(',')
  if ((protocol !== 'tcp' && protocol !== 'udp') || !sources.every(isSource)) {
    throw new InvalidArgumentError(
      'Expected a port such as 8080, 53/udp, 8080=10.0.0.0/8 or 8080=@github-hooks.',
    )
  }
  return [...before, { protocol, container: parsePort(port), sources }]
}

/** Whether there is such a list, the manager says. */
function isSource(text: string): boolean {
  return /^@[a-z0-9-]+$/.test(text) || isNetwork(text)
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/')
  return more.length === 0 && isIP(address) !== 0 && /^\d{1,3}$/.test(bits)
}

export function limits(command: Command): Command {
  return command
    .option('--memory <size>', 'such as 512m or 2g', parseSize)
    .option('--cpus <number>', 'time of so many processors, such as 1.5', parseAmount)
    .option('--processes <number>', 'at most so many', parseAmount)
    .option('--disk <size>', 'such as 10g', parseSize)
    .option(
      '--port <port...>',
      'of the container, to be reached from outside: 8080, 53/udp, 8080=10.0.0.0/8, 8080=@github-hooks',
      readPort,
    )
}

export interface Limits {
  readonly memory?: number
  readonly cpus?: number
  readonly processes?: number
  readonly disk?: number
  readonly port?: readonly WantedPort[]
}

export function limitsIn({ memory, disk, cpus, processes, port }: Limits) {
  const given = { memory_bytes: memory, disk_bytes: disk, cpus, processes, ports: port }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
