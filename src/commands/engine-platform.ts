import { arch, platform } from 'node:os'
import { type EngineVersion, engineVersion } from '#programs/docker-version.ts'
import type { EngineFacts, Hands } from './command.ts'

const ASK_MS = 5_000

/** Go's words for what Node calls otherwise. */
const AS_NODE_SAYS: Readonly<Record<string, string>> = { amd64: 'x64', '386': 'ia32', ppc64le: 'ppc64' }

/** What each engine said the last time; another machine behind its address is noticed when an app chooses it. */
const known = new WeakMap<EngineFacts, string>()

/**
 * What the engine of a command builds for. The host's own has the host's architecture; another one is asked once.
 * Asking takes longer than all else that a content tag needs.
 */
export async function platformOf({ host, perform }: Hands): Promise<string> {
  const { engine, dockerSocket } = host
  return engine
    ? (known.get(engine) ?? notePlatform(engine, await perform(engineVersion(dockerSocket, ASK_MS))))
    : `${platform()}/${arch()}`
}

/** Keeps what an engine said of itself when it was asked anyway. */
export function notePlatform(engine: EngineFacts, said: Pick<EngineVersion, 'os' | 'arch'>): string {
  const found = `${said.os}/${AS_NODE_SAYS[said.arch] ?? said.arch}`
  known.set(engine, found)
  return found
}
