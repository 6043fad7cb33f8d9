import { isIP } from 'node:net'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SettingName } from '#lib/settings.ts'

/** What `up` was asked for, options first, then the environment. */
export interface UpOptions {
  readonly api: Address
  readonly worker: Address
  readonly baseDomain: string | undefined
  readonly allowPrivate: readonly string[]
  readonly publicUrl: string | undefined
  readonly visitors: 'loopback' | 'everywhere'
}

export interface Address {
  readonly host: string
  readonly port: number
}

interface Given {
  readonly listen?: Partial<Address>
  readonly port?: number
  readonly workerListen?: Partial<Address>
  readonly workerPort?: number
  readonly baseDomain?: string
  readonly publicUrl?: string
  readonly public?: boolean
  readonly allowPrivate: string
}

const LOOPBACK = '127.0.0.1'
const API_PORT = 7400
const WORKER_PORT = 7443

export function withUpOptions(command: Command): Command {
  return command
    .addOption(
      setting(
        '--base-domain <domain>',
        'FAIRLEAD_BASE_DOMAIN',
        'apps without a domain get <app>.<domain> (default: localhost)',
      ),
    )
    .option('--public', 'other machines may visit the apps; public domains get public certificates')
    .addOption(
      setting(
        '--listen <address>',
        'FAIRLEAD_LISTEN',
        `where the API listens: host or host:port (default: ${LOOPBACK}:${API_PORT})`,
      ).argParser(orBefore(parseAddress)),
    )
    .option('--port <port>', 'of the API, in place of the one in --listen', parsePort)
    .addOption(
      setting('--public-url <url>', 'FAIRLEAD_PUBLIC_URL', 'where Git hosts reach the API, for webhooks'),
    )
    .addOption(
      setting(
        '--worker-listen <address>',
        'FAIRLEAD_WORKER_LISTEN',
        `where the worker listens, for the manager only (default: ${LOOPBACK}:${WORKER_PORT})`,
      ).argParser(orBefore(parseAddress)),
    )
    .option('--worker-port <port>', 'of the worker, in place of the one in --worker-listen', parsePort)
    .addOption(
      setting(
        '--allow-private <cidrs>',
        'FAIRLEAD_ALLOW_PRIVATE',
        'private networks where Git servers may be, separated by commas',
      ).default(''),
    )
}

/** From what commander made of the command line and the environment. */
export function upOptions(given: Given): UpOptions {
  const { listen = {}, workerListen = {} } = given
  return {
    api: { host: listen.host ?? LOOPBACK, port: given.port ?? listen.port ?? API_PORT },
    worker: {
      host: workerListen.host ?? LOOPBACK,
      port: given.workerPort ?? workerListen.port ?? WORKER_PORT,
    },
    baseDomain: given.baseDomain,
    allowPrivate: given.allowPrivate.split(/[\s,]+/).filter(cidr => cidr !== ''),
    publicUrl: given.publicUrl,
    visitors: given.public === true ? 'everywhere' : 'loopback',
  }
}

/** An option that may come from the environment, where an empty value counts as none. */
function setting(flags: string, variable: SettingName, description: string): Option {
  return new Option(flags, description).env(variable).argParser(orBefore(text => text))
}

function orBefore<T>(parse: (text: string) => T): (text: string, before: T) => T {
  return (text, before) => (text === '' ? before : parse(text))
}

function parseAddress(text: string): Partial<Address> {
  if (isIP(text) === 6) {
    return { host: text }
  }
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d+))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) {
    throw new InvalidArgumentError('Expected host or host:port, such as 0.0.0.0 or [::]:7400.')
  }
  return { host, ...(port === undefined ? {} : { port: parsePort(port) }) }
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) {
    throw new InvalidArgumentError('Expected a port from 1 to 65535.')
  }
  return port
}
