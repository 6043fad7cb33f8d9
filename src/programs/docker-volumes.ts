import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'

/** Names of the volumes with these labels. */
export function listVolumes(socket: string, labels: readonly string[]): EngineRequest<readonly string[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/volumes',
    query: { filters: filters({ label: labels }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer =>
      ((answer.json as { Volumes?: { Name: string }[] | null }).Volumes ?? []).map(volume => volume.Name),
  }
}

export interface NamedThing {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Which of these volumes are there. */
export function listNamedVolumes(
  socket: string,
  names: readonly string[],
): EngineRequest<readonly NamedThing[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/volumes',
    query: { filters: filters({ name: names }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => namedThings((answer.json as { Volumes?: unknown } | undefined)?.Volumes, names),
  }
}

/** The engine also tells of names that only contain one of these. */
export function namedThings(listed: unknown, names: readonly string[]): readonly NamedThing[] {
  const things = Array.isArray(listed) ? (listed as { Name?: string; Labels?: Record<string, string> }[]) : []
  return things
    .map(({ Name, Labels }) => ({ name: Name ?? '', labels: Labels ?? {} }))
    .filter(({ name }) => names.includes(name))
}

/** Deletes the data in it. In use by someone else's container: kept. */
export function removeVolume(socket: string, name: string): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'DELETE',
    path: `/volumes/${encodeURIComponent(name)}`,
    timeoutMs: SLOW_MS,
    ok: [204, 404, 409],
    read: () => undefined,
  }
}
