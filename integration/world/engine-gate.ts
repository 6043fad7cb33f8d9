import { DOCKER_SOCKET } from '#cli/demo/engine.ts'
import { type Gate, openGate } from './gate.ts'

/** A socket that leads to the engine for as long as it is open. */
export interface EngineGate extends Gate {
  readonly path: string
}

export async function openEngineGate(path: string): Promise<EngineGate> {
  return { path, ...(await openGate({ path }, { path: DOCKER_SOCKET })) }
}
