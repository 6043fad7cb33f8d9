import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

/** Prepares one run of a program inside a running container; undefined when the container does not run. */
export function createExec(
  socket: string,
  container: string,
  command: readonly string[],
): EngineRequest<{ readonly id: string } | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(container)}/exec`,
    body: { Cmd: command, AttachStdout: true, AttachStderr: true },
    timeoutMs: QUICK_MS,
    ok: [201, 404, 409],
    read: answer => (answer.status === 201 ? { id: (answer.json as { Id: string }).Id } : undefined),
  }
}

/** Runs it to its end and hands over what it prints. A program that cannot be started ends at once, with exit code 126 or 127. */
export function startExec(
  socket: string,
  id: string,
  run: { readonly timeoutMs: number; readonly onLine: (text: string, stream: 'stdout' | 'stderr') => void },
): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/exec/${encodeURIComponent(id)}/start`,
    body: { Detach: false, Tty: false },
    timeoutMs: run.timeoutMs,
    ok: [200],
    stream: {
      format: 'docker-log',
      onEvent: event => {
        if (event.kind === 'line') {
          run.onLine(event.text, event.stream)
        }
      },
    },
    read: () => undefined,
  }
}

/** Undefined while it runs. */
export function exitCodeOfExec(socket: string, id: string): EngineRequest<number | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/exec/${encodeURIComponent(id)}/json`,
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => (answer.json as { ExitCode?: number | null } | undefined)?.ExitCode ?? undefined,
  }
}
