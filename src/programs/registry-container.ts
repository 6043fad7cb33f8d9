import { AS_LONG_AS_COMMAND_MS, type EngineRequest } from '#exec/call.ts'
import { dockerEngine, engineMessage, QUICK_MS } from './docker-engine.ts'

/** Where the registry looks for what it is given, as its own documentation has it. */
const CERTIFICATES = '/certs'
const ACCOUNTS = '/auth'
const SETTINGS = '/etc/fairlead-registry'
const IMAGES = '/var/lib/registry'
/** Inside; which port of the host leads to it is a setting. */
const PORT = 443
const STOP_GRACE_SECONDS = 30
const LOG = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } as const

/** Files of a registry, in folders that its container has read only. */
export const REGISTRY_FILES = {
  certificate: 'certs/domain.crt',
  key: 'certs/domain.key',
  accounts: 'auth/htpasswd',
  settings: 'settings/registry.yml',
} as const

/** JSON is YAML. No cache: after a garbage collection it would claim layers that are gone. */
export const REGISTRY_SETTINGS = `${JSON.stringify(
  {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: IMAGES }, delete: { enabled: true } },
    http: { addr: `0.0.0.0:${PORT}` },
    auth: { htpasswd: { realm: 'registry', path: `${ACCOUNTS}/htpasswd` } },
  },
  undefined,
  2,
)}\n`

export interface WantedRegistry {
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  /** Absolute folder with the files. */
  readonly folder: string
  /** Volume with the images. */
  readonly volume: string
  readonly hostPort: number
}

/** The body of POST /containers/create for a registry with TLS and accounts. */
export function registrySpec(wanted: WantedRegistry): object {
  return {
    ...common(wanted, 'serve'),
    StopTimeout: STOP_GRACE_SECONDS,
    ExposedPorts: { [`${PORT}/tcp`]: {} },
    HostConfig: {
      ...hostConfig(wanted),
      // Not `unless-stopped`: an engine that was killed would take it for stopped by a person.
      RestartPolicy: { Name: 'always' },
      PortBindings: { [`${PORT}/tcp`]: [{ HostPort: String(wanted.hostPort) }] },
    },
  }
}

/** The same program on the same images, which deletes the layers that no manifest names and ends. */
export function collectorSpec(wanted: Omit<WantedRegistry, 'hostPort'>): object {
  return {
    ...common(wanted, 'garbage-collect'),
    HostConfig: { ...hostConfig(wanted), NetworkMode: 'none' },
  }
}

/** The exit code, when it has ended. */
export function waitForContainer(socket: string, id: string): EngineRequest<number> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/wait`,
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    ok: [200],
    read: answer => (answer.json as { StatusCode?: number }).StatusCode ?? 0,
  }
}

export function renameContainer(socket: string, id: string, name: string): EngineRequest<string | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/rename`,
    query: { name },
    timeoutMs: QUICK_MS,
    ok: 'any',
    read: answer => (answer.status === 204 ? undefined : engineMessage(answer)),
  }
}

function common({ image, labels }: Pick<WantedRegistry, 'image' | 'labels'>, word: string): object {
  return {
    Image: image,
    Labels: labels,
    // The image's own entry point starts the program, whatever it is called there.
    Cmd: [word, `${SETTINGS}/registry.yml`],
    Env: [
      `REGISTRY_HTTP_ADDR=0.0.0.0:${PORT}`,
      `REGISTRY_HTTP_TLS_CERTIFICATE=${CERTIFICATES}/domain.crt`,
      `REGISTRY_HTTP_TLS_KEY=${CERTIFICATES}/domain.key`,
    ],
  }
}

function hostConfig({
  folder,
  volume,
  labels,
}: Pick<WantedRegistry, 'folder' | 'volume' | 'labels'>): object {
  const app = labels['io.fairlead.app']
  const bind = (name: string, target: string) => ({
    ...{ Type: 'bind', Source: `${folder}/${name}`, Target: target, ReadOnly: true },
  })
  return {
    Init: true,
    SecurityOpt: ['no-new-privileges'],
    CapDrop: ['NET_RAW', 'MKNOD'],
    PidsLimit: 2_048,
    LogConfig: LOG,
    Mounts: [
      {
        ...{ Type: 'volume', Source: volume, Target: IMAGES },
        VolumeOptions: { Labels: app === undefined ? {} : { 'io.fairlead.app': app } },
      },
      bind('certs', CERTIFICATES),
      bind('auth', ACCOUNTS),
      bind('settings', SETTINGS),
    ],
  }
}
