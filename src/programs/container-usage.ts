import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, filters, QUICK_MS } from './docker-engine.ts'

/** What a container has used and uses. */
export interface ContainerUsage {
  readonly id: string
  readonly name: string
  /** When the engine read it, ms since 1970. */
  readonly readAt: number
  /** Of one processor, since it was started: two readings give how busy it was between them. */
  readonly processorNanoseconds: number
  /** Without what the kernel would give back: cached files that nobody uses. */
  readonly memoryBytes: number
  /** The most that it may use: its limit, or all of the machine. */
  readonly memoryLimitBytes: number
}

/** Ids of those that run and carry all these labels (`key` or `key=value`). */
export function listRunning(socket: string, labels: readonly string[]): EngineRequest<readonly string[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/containers/json',
    query: { filters: filters({ label: labels, status: ['running'] }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => ((answer.json ?? []) as { Id?: string }[]).map(({ Id = '' }) => Id),
  }
}

/** One reading, which the engine takes at once: it would wait a second for a second one. Undefined: it does not run any more. */
export function containerUsage(socket: string, id: string): EngineRequest<ContainerUsage | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/containers/${encodeURIComponent(id)}/stats`,
    query: { stream: false, 'one-shot': true },
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : readUsage(answer.json)),
  }
}

interface RawStats {
  id?: string
  name?: string
  read?: string
  cpu_stats?: { cpu_usage?: { total_usage?: number } }
  memory_stats?: {
    usage?: number
    limit?: number
    stats?: { inactive_file?: number; total_inactive_file?: number } | null
  }
}

export function readUsage(json: unknown): ContainerUsage | undefined {
  const { id = '', name = '', read = '', cpu_stats, memory_stats } = (json ?? {}) as RawStats
  const { usage, limit = 0, stats } = memory_stats ?? {}
  // The engine tells of one that has just ended without figures.
  if (usage === undefined) {
    return undefined
  }
  // Control groups of version 1 count those of groups below it apart.
  const unused = stats?.total_inactive_file ?? stats?.inactive_file ?? 0
  return {
    id,
    name: name.replace(/^\//, ''),
    readAt: Date.parse(read),
    processorNanoseconds: cpu_stats?.cpu_usage?.total_usage ?? 0,
    memoryBytes: Math.max(0, usage - unused),
    memoryLimitBytes: limit,
  }
}
