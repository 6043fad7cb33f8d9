import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import type { CommandResult } from './command.ts'
import { command } from './command.ts'
import type { IncusHost } from './incus.ts'
import { awaited } from './outcome.ts'
import { makeSystemdImage } from './systemd-image.ts'

/** All daemons of this machine share the control groups, which are called by it. */
const NAME = `machine-${process.pid}`
const IP = '10.231.80.10'
const NODE = '/opt/node/bin'

/** A machine whose first process is systemd: an unprivileged container, with the programs of this one. */
export interface SystemdMachine {
  readonly ip: string
  /** A socket or file of it, as this machine gets at it; until the next restart. */
  path(file: string): string
  /** As root in it; a failure is a result. */
  run(words: readonly string[], options?: RunOptions): Promise<CommandResult>
  /** The same in its shell, for what must succeed; gives the standard output. */
  sh(script: string, options?: RunOptions): Promise<string>
  /** All its processes end, and it starts again. */
  restart(): Promise<void>
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: Buffer | string
}

/** A first one of its Incus host, in which those folders of this one can be read; ends with it. */
export async function startMachine(
  incus: IncusHost,
  shown: Readonly<Record<string, string>> = {},
): Promise<SystemdMachine> {
  await incus.addImage(await makeSystemdImage(incus.folder), 'systemd')
  const mounted = (path: string, source: string) => ({
    ...{ type: 'disk', path, source, readonly: 'true', shift: 'true' },
  })
  await incus.ask('POST', '/1.0/instances', {
    ...{ name: NAME, type: 'container', profiles: [], source: { type: 'image', alias: 'systemd' } },
    // For the Docker engine in it.
    config: { 'security.nesting': 'true' },
    devices: {
      root: { type: 'disk', path: '/', pool: incus.pool },
      usr: mounted('/usr', '/usr'),
      node: mounted('/opt/node', join(PACKAGE_ROOT, 'node_modules/node')),
      ...Object.fromEntries(
        Object.entries(shown).map(([path, source], at) => [`shown${at}`, mounted(path, source)]),
      ),
      eth0: { type: 'nic', network: incus.network, name: 'eth0', 'ipv4.address': IP },
    },
  })
  let pid = await start(incus, 'start')
  async function run(words: readonly string[], { env = {}, input }: RunOptions = {}): Promise<CommandResult> {
    const inside = [`--target=${pid}`, '--all', '--setuid=0', '--setgid=0', '--wdns=/']
    const child = spawn('nsenter', [...inside, 'env', '-i', ...variables(env), ...words])
    child.stdin.on('error', () => undefined).end(input ?? '')
    const [[code], stdout, stderr] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ])
    return { code: code as number | null, stdout, stderr }
  }
  return {
    ip: IP,
    path: file => `/proc/${pid}/root${file}`,
    run,
    async sh(script, options) {
      const { code, stdout, stderr } = await run(['sh', '-euc', script], options)
      if (code !== 0) {
        throw new Error(`${script}\nended with ${code}\n${stdout}${stderr}`)
      }
      return stdout
    },
    async restart() {
      pid = await start(incus, 'restart')
    },
  }
}

function variables(env: Readonly<Record<string, string>>): string[] {
  const all = {
    PATH: `${NODE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/root',
    LC_ALL: 'C',
  }
  return Object.entries({ ...all, ...env }).map(([name, value]) => `${name}=${value}`)
}

/** Gives the id of its first process, once that has started everything. */
async function start({ ask }: IncusHost, action: 'start' | 'restart'): Promise<number> {
  await ask('PUT', `/1.0/instances/${NAME}/state`, { action, timeout: 120 })
  return await awaited(async () => {
    const { pid } = await ask<{ pid: number }>('GET', `/1.0/instances/${NAME}/state`)
    const words = [`--target=${pid}`, '--all', 'systemctl', 'is-system-running']
    const { stdout } = await command('nsenter', words, { folder: '/' })
    return /^(?:running|degraded)/.test(stdout) ? pid : undefined
  })
}
