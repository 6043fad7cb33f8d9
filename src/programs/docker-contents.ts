import { AS_LONG_AS_COMMAND_MS, type EngineRequest } from '#exec/call.ts'
import { dockerEngine } from './docker-engine.ts'

/** A container that is never started: only its file system is read. */
export function unstartedSpec(image: string, labels: Readonly<Record<string, string>>): object {
  return {
    ...{ Image: image, Entrypoint: [], Cmd: ['/never-started'], Labels: labels, NetworkDisabled: true },
    HostConfig: { NetworkMode: 'none' },
  }
}

export interface WantedFiles {
  readonly isWanted: (path: string) => boolean
  readonly onFile: (path: string, text: string) => void
}

/** Regular files of a container, running or not; what is mounted into it is not among them. */
export function readContainerFiles(
  socket: string,
  id: string,
  { isWanted, onFile }: WantedFiles,
): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/containers/${encodeURIComponent(id)}/export`,
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    ok: [200],
    stream: {
      format: 'tar',
      isWanted,
      onEvent: event => {
        if (event.kind === 'file') {
          onFile(event.path, event.text)
        }
      },
    },
    read: () => undefined,
  }
}
