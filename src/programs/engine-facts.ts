import { type EngineRequest, type ProgramCall, SEARCH_PATH } from '#exec/call.ts'
import { dockerEngine, engineMessage, QUICK_MS } from './docker-engine.ts'
import type { RegistryCredential } from './docker-images.ts'

export function engineVersion(
  socket: string,
): EngineRequest<{ readonly version: string; readonly api: string }> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/version',
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => {
      const { Version = '', ApiVersion = '' } = (answer.json ?? {}) as {
        Version?: string
        ApiVersion?: string
      }
      return { version: Version, api: ApiVersion }
    },
  }
}

/** Where an engine keeps its images, containers and volumes, as it says; empty: it does not. */
export function engineFolder(socket: string): EngineRequest<string> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/info',
    timeoutMs: QUICK_MS,
    ok: [200],
    read: ({ json }) => String((json as { DockerRootDir?: string } | undefined)?.DockerRootDir ?? ''),
  }
}

/** The version of the docker CLI's Compose plugin. */
export function composeVersion(home: string): ProgramCall<string> {
  return {
    kind: 'program',
    program: 'docker',
    args: ['compose', 'version', '--short'],
    env: { PATH: SEARCH_PATH, HOME: home },
    timeoutMs: QUICK_MS,
    read: ({ stdout }) => stdout.trim(),
  }
}

export function gitVersion(): ProgramCall<string> {
  return {
    kind: 'program',
    program: 'git',
    args: ['version'],
    env: { PATH: SEARCH_PATH, HOME: '/nonexistent' },
    timeoutMs: QUICK_MS,
    read: ({ stdout }) => /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim(),
  }
}

/** Lets the engine itself log in: it then has reached the registry, trusts it, and its account counts. Else its words. */
export function tryLogin(socket: string, credential: RegistryCredential): EngineRequest<string | undefined> {
  const { address, username, password } = credential
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: '/auth',
    body: { username, password: password.reveal(), serveraddress: address },
    looksOnly: true,
    timeoutMs: QUICK_MS,
    ok: 'any',
    read: answer => (answer.status === 200 || answer.status === 204 ? undefined : engineMessage(answer)),
  }
}
