import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BackgroundProcess, SEARCH_PATH, startProcess } from '#cli/demo/background-process.ts'
import { freePort } from '#cli/demo/free-port.ts'

const HOST_KEY_TYPES = ['ed25519', 'ecdsa'] as const
const GIT_ONLY = join(import.meta.dirname, 'git-only')

export interface Sshd {
  readonly port: number
  readonly user: string
  /** Lines for known_hosts, of the keys that are in use now. */
  readonly hostKeys: string
  /** Private key that may log in, OpenSSH text. */
  readonly clientKey: string
  readonly clientKeyFile: string
  readonly logFile: string
  url(name: string): string
  /** Comes back on the same port with other host keys, as after a reinstallation or in the middle of an attack. */
  replaceHostKey(): Promise<void>
  close(): Promise<void>
}

export interface SshdOptions {
  readonly folder: string
  readonly repositoriesFolder: string
  /** Of the key that may log in; default ed25519. */
  readonly keyType?: 'ed25519' | 'rsa'
}

/** A real sshd on loopback whose only key may fetch from and push to the repositories of one folder, nothing else. */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const { folder, repositoriesFolder } = options
  const user = userInfo().username
  const port = await freePort()
  const clientKeyFile = join(folder, 'client_key')
  const logFile = join(folder, 'sshd.log')
  await mkdir(folder, { recursive: true })
  await makeKey(clientKeyFile, options.keyType ?? 'ed25519')
  await authorize(folder, clientKeyFile)
  await writeFile(join(folder, 'sshd_config'), await serverConfig({ folder, repositoriesFolder, user, port }))
  let hostKeys = await makeHostKeys(folder, port)
  let server = await run(folder, port, logFile)
  return {
    port,
    user,
    get hostKeys() {
      return hostKeys
    },
    clientKey: await readFile(clientKeyFile, 'utf8'),
    clientKeyFile,
    logFile,
    url: name => `ssh://${user}@127.0.0.1:${port}/${name}.git`,
    async replaceHostKey() {
      await server.close()
      hostKeys = await makeHostKeys(folder, port)
      server = await run(folder, port, logFile)
    },
    close: () => server.close(),
  }
}

async function authorize(folder: string, clientKeyFile: string): Promise<void> {
  const publicKey = await readFile(`${clientKeyFile}.pub`, 'utf8')
  await writeFile(join(folder, 'authorized_keys'), `restrict,command="'${GIT_ONLY}'" ${publicKey}`)
}

async function serverConfig(of: {
  folder: string
  repositoriesFolder: string
  user: string
  port: number
}): Promise<string> {
  const lines = [
    `Port ${of.port}`,
    'ListenAddress 127.0.0.1',
    ...HOST_KEY_TYPES.map(type => `HostKey "${join(of.folder, `host_${type}`)}"`),
    `AuthorizedKeysFile "${join(of.folder, 'authorized_keys')}"`,
    // The folder is a temporary one, below a folder that others may write to.
    'StrictModes no',
    `AllowUsers ${of.user}`,
    'PermitRootLogin forced-commands-only',
    'AuthenticationMethods publickey',
    'AcceptEnv GIT_PROTOCOL',
    `SetEnv "GIT_REPOSITORIES=${of.repositoriesFolder}"`,
    `UsePAM ${(await accountIsLocked(of.user)) ? 'yes' : 'no'}`,
    'PidFile none',
    'PrintMotd no',
    'UseDNS no',
  ]
  return `${lines.join('\n')}\n`
}

/** Without PAM sshd refuses an account whose password is locked, which root's is on many machines. */
async function accountIsLocked(user: string): Promise<boolean> {
  const shadow = await readFile('/etc/shadow', 'utf8').catch(() => '')
  return shadow.split('\n').some(line => line.startsWith(`${user}:!`))
}

async function makeHostKeys(folder: string, port: number): Promise<string> {
  const lines: string[] = []
  for (const type of HOST_KEY_TYPES) {
    const file = join(folder, `host_${type}`)
    await makeKey(file, type)
    const [algorithm, key] = (await readFile(`${file}.pub`, 'utf8')).split(' ')
    lines.push(`[127.0.0.1]:${port} ${algorithm} ${key}\n`)
  }
  return lines.join('')
}

async function makeKey(file: string, type: string): Promise<void> {
  await rm(file, { force: true })
  const size = type === 'rsa' ? ['-b', '4096'] : []
  const args = ['-q', '-t', type, ...size, '-N', '', '-C', 'fairlead', '-f', file]
  await promisify(execFile)('ssh-keygen', args, { env: { PATH: SEARCH_PATH } })
}

async function run(folder: string, port: number, logFile: string): Promise<BackgroundProcess> {
  if (userInfo().uid === 0) {
    // Made by systemd where there is one; sshd does not start without it.
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  }
  return await startProcess({
    // By its full path: sshd starts itself again for each connection.
    program: '/usr/sbin/sshd',
    args: ['-D', '-e', '-f', join(folder, 'sshd_config')],
    folder,
    logFile,
    ready: () => greets(port),
  })
}

async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) })
    return String(data).startsWith('SSH-2.0')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
