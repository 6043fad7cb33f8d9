import { asFairleadError } from '#lib/errors.ts'
import { readConfig } from '#programs/caddy.ts'
import { composeVersion, engineVersion, gitVersion, tryLogin } from '#programs/engine-facts.ts'
import { incusVersion } from '#programs/incus-host.ts'
import type { Hands } from './command.ts'
import { checkEngineDisk, checkWorkerDisk } from './disk-check.ts'
import { engineCredential, type RegistryData } from './image-data.ts'
import { checkPorts } from './port-check.ts'
import { askProxy } from './proxy-config.ts'

/** How something is; undefined `mend`: there is nothing to mend. */
export interface Finding {
  readonly detail: string
  readonly mend?: string
}

export interface HostCheck {
  readonly name: string
  /** It is asked of each engine of the host. */
  readonly ofEngine?: true
  /** Undefined: it does not concern this host. */
  readonly look: (hands: Hands, asked: Asked) => Promise<Finding | undefined>
}

export interface Asked {
  readonly registry?: RegistryData | undefined
}

const OLDEST_API = 1.41
const OLDEST_COMPOSE = [2, 0] as const
const OLDEST_GIT = [2, 30] as const
const OLDEST_INCUS = [6, 0] as const

/** What can be wrong with a host, each as one entry. What throws is wrong, in the words of its error. */
export const HOST_CHECKS: readonly HostCheck[] = [
  { name: 'engine', ofEngine: true, look: checkEngine },
  { name: 'compose', look: checkCompose },
  { name: 'git', look: checkGit },
  { name: 'incus', look: checkIncus },
  { name: 'disk', look: checkWorkerDisk },
  { name: 'engine disk', look: checkEngineDisk },
  { name: 'proxy', look: checkProxy },
  { name: 'ports', look: checkPorts },
  { name: 'registry', ofEngine: true, look: checkRegistry },
]

export async function runCheck(
  hands: Hands,
  { look }: HostCheck,
  asked: Asked,
): Promise<Finding | undefined> {
  try {
    return await look(hands, asked)
  } catch (error) {
    hands.signal.throwIfAborted()
    const { message, hint } = asFairleadError(error)
    return { detail: message, mend: hint }
  }
}

async function checkEngine({ host, perform }: Hands): Promise<Finding> {
  const { version, api } = await perform(engineVersion(host.dockerSocket))
  const detail = `Docker ${version} (API ${api})`
  return Number(api) >= OLDEST_API ? { detail } : { detail, mend: 'Install Docker 20.10 or newer.' }
}

async function checkCompose({ host, perform }: Hands): Promise<Finding> {
  const version = await perform(composeVersion(host.dockerHome))
  const detail = `Docker Compose ${version}`
  return isAtLeast(version.replace(/^v/, ''), OLDEST_COMPOSE)
    ? { detail }
    : { detail, mend: 'Install version 2 or newer of the Compose plugin.' }
}

async function checkGit({ perform }: Hands): Promise<Finding> {
  const version = await perform(gitVersion())
  const detail = `Git ${version}`
  return isAtLeast(version, OLDEST_GIT)
    ? { detail }
    : { detail, mend: `Install Git ${OLDEST_GIT.join('.')} or newer.` }
}

/** Only where system containers are kept. */
async function checkIncus({ host, perform }: Hands): Promise<Finding | undefined> {
  if (!host.systems) {
    return undefined
  }
  const version = await perform(incusVersion(host.systems.socket))
  const detail = `Incus ${version}`
  return isAtLeast(version, OLDEST_INCUS)
    ? { detail }
    : { detail, mend: `Install Incus ${OLDEST_INCUS.join('.')} or newer.` }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [here = 0, next = 0] = version.split('.').map(Number)
  return here > major || (here === major && next >= minor)
}

async function checkProxy(hands: Hands): Promise<Finding> {
  const { proxy } = hands.host
  if (!proxy) {
    return { detail: 'no proxy: no app on this host can have an address by name' }
  }
  await askProxy(hands, readConfig(proxy.adminOrigin))
  return { detail: `Caddy answers at ${proxy.adminOrigin}` }
}

async function checkRegistry({ host, perform }: Hands, { registry }: Asked): Promise<Finding | undefined> {
  const credential = registry && engineCredential(registry)
  if (!registry || !credential) {
    return undefined
  }
  const { address } = registry
  const refusal = await perform(tryLogin(host.dockerSocket, credential))
  if (refusal === undefined) {
    return { detail: `the engine logs in at ${address}` }
  }
  const mend = host.engine ? mendThere(refusal, address) : mendLogin(refusal, address)
  return { detail: `the engine cannot log in at ${address}: ${refusal}`, mend }
}

/** No worker writes on the machine of another engine. */
function mendThere(refusal: string, address: string): string {
  return /x509|certificate/.test(refusal)
    ? `Put what "fairlead registry certificate" prints into /etc/docker/certs.d/${address}/ca.crt on its machine.`
    : mendLogin(refusal, address)
}

function mendLogin(refusal: string, address: string): string {
  if (/x509|certificate/.test(refusal)) {
    return `Let the engine trust it: "fairlead registry trust", or put its certificate into /etc/docker/certs.d/${address}/ca.crt.`
  }
  return /401|unauthorized/i.test(refusal)
    ? 'Give deployments the right account: "fairlead registry passwd", or FAIRLEAD_REGISTRY_PASSWORD.'
    : `Look whether it runs ("fairlead registry status") and whether this host reaches ${address}.`
}
