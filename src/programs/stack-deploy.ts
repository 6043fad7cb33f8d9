import { AS_LONG_AS_COMMAND_MS, type ProgramCall, SEARCH_PATH } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'
import { dockerHost } from './docker-engine.ts'
import type { RegistryCredential } from './docker-images.ts'

export interface StackFile {
  readonly name: string
  /** Folder without anything of the person who started the worker: the CLI's HOME. */
  readonly home: string
  readonly socket: string
  /** The whole stack, in the form that the CLI takes. */
  readonly text: string
  /** Names this very text, so that a later worker knows what the program was doing. */
  readonly hash: string
  /** For every node that has to fetch an image. */
  readonly credentials: readonly RegistryCredential[]
}

/**
 * Undefined: the swarm has taken the whole file. What becomes of it is to be seen in its services: the program's exit
 * code says nothing of that. Images are pinned by digest already, so no registry is asked.
 */
export function stackDeploy(stack: StackFile): ProgramCall<string | undefined> {
  const { name, home, socket, text, hash, credentials } = stack
  return {
    kind: 'program',
    program: 'docker',
    args: [
      ...['--config', '{file:.}', 'stack', 'deploy'],
      ...['--compose-file', '{file:stack.json}', '--prune', '--with-registry-auth'],
      ...['--resolve-image', 'never', name],
    ],
    cwd: '/',
    env: { PATH: SEARCH_PATH, HOME: home, DOCKER_HOST: dockerHost(socket) },
    files: [
      { name: 'stack.json', content: text },
      { name: 'config.json', content: new Secret(cliConfig(credentials)) },
    ],
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    okCodes: [0, 1, 14, 15],
    outlives: `docker stack deploy ${name} ${hash}`,
    show: 'stdout',
    read: ({ exitCode, stderr }) => (exitCode === 0 ? undefined : lastLine(stderr)),
  }
}

function cliConfig(credentials: readonly RegistryCredential[]): string {
  const auths = credentials.map(({ address, username, password }) => [
    address,
    { auth: Buffer.from(`${username}:${password.reveal()}`).toString('base64') },
  ])
  return JSON.stringify({ auths: Object.fromEntries(auths) })
}

function lastLine(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter(line => line.trim() !== '' && !/--detach/.test(line))
  return (lines.at(-1) ?? 'it gave no reason').trim().slice(0, 1_000)
}
