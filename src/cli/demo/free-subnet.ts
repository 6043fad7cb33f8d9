import { readFile } from 'node:fs/promises'
import { BlockList, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { DOCKER_SOCKET, listFromEngine } from './engine.ts'

interface EngineNetwork {
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null }
}

/** Processes that start one after the other look at places that are not neighbours. */
const APART = 37

/**
 * A /24 that no network of the engine, no interface and no route of this machine uses. The search begins at a place
 * of this process: the network is only made by the first deployment, and another process may be choosing just now.
 */
export async function freeSubnet(socketPath = DOCKER_SOCKET, taken: readonly string[] = []): Promise<string> {
  const used = [
    ...taken,
    ...(await engineSubnets(socketPath)),
    ...interfaceSubnets(),
    ...(await routedSubnets()),
  ]
  for (let step = 0; step < 256; step++) {
    const subnet = `10.214.${(process.pid * APART + step) % 256}.0/24`
    if (!used.some(other => overlap(subnet, other))) {
      return subnet
    }
  }
  throw new Error('every network from 10.214.0.0/24 to 10.214.255.0/24 is in use on this machine')
}

async function engineSubnets(socketPath: string): Promise<string[]> {
  const networks = await listFromEngine<EngineNetwork>(socketPath, '/networks', {})
  return networks.flatMap(({ IPAM }) => (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []))
}

function interfaceSubnets(): string[] {
  return Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).flatMap(({ cidr }) => cidr ?? []),
  )
}

/** Destinations of the kernel's table, but the default route, which holds for everything. */
async function routedSubnets(): Promise<string[]> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '')
  return table
    .split('\n')
    .slice(1)
    .map(line => line.split('\t'))
    .filter(fields => fields[1] !== undefined && fields[7] !== undefined && fields[7] !== '00000000')
    .map(fields => `${addressOf(fields[1] ?? '')}/${bitsOf(fields[7] ?? '')}`)
}

/** Four bytes in the order of the machine, as hexadecimal digits. */
function addressOf(hex: string): string {
  return (hex.match(/../g) ?? [])
    .reverse()
    .map(byte => Number.parseInt(byte, 16))
    .join('.')
}

function bitsOf(mask: string): number {
  return [...Number.parseInt(mask, 16).toString(2)].filter(bit => bit === '1').length
}

function overlap(one: string, other: string): boolean {
  const [first = '', bits = '0'] = one.split('/')
  const [second = '', otherBits = '0'] = other.split('/')
  if (!isIPv4(first) || !isIPv4(second)) {
    return false
  }
  return blockOf(first, Number(bits)).check(second) || blockOf(second, Number(otherBits)).check(first)
}

function blockOf(address: string, bits: number): BlockList {
  const block = new BlockList()
  block.addSubnet(address, bits)
  return block
}
