/** What a container is to be, in our words; containerSpec turns it into the engine's. */
export interface WantedContainer {
  readonly image: string
  readonly environment: Readonly<Record<string, string>>
  readonly command?: readonly string[] | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Without an address the engine chooses one. */
  readonly network: { readonly name: string; readonly ip?: string | undefined }
  /** The port the workload listens on inside, told to the engine for `docker ps` only. */
  readonly port?: number | undefined
  readonly volumes: readonly WantedVolume[]
  readonly ports: readonly PublishedPort[]
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
  readonly pids?: number | undefined
  readonly user?: string | undefined
  readonly readOnly?: boolean | undefined
  readonly sandbox?: Sandbox | undefined
  readonly stopGraceSeconds: number
}

/** Where users may run anything. The engine never starts it by itself: what it needs in memory is given to it at each start. */
export interface Sandbox {
  readonly memoryFolders: readonly MemoryFolder[]
  readonly sharedMemoryBytes?: number | undefined
  /** A folder in memory that the engine can write to from outside. */
  readonly secrets?: MemoryFolder | undefined
}

export interface MemoryFolder {
  readonly path: string
  readonly uid?: number | undefined
  readonly bytes: number
}

export interface WantedVolume {
  readonly name: string
  readonly path: string
  readonly readOnly?: boolean | undefined
}

export interface PublishedPort {
  readonly host: number
  readonly container: number
  readonly protocol?: 'tcp' | 'udp' | undefined
  /** Host address it listens on; absent: all. */
  readonly address?: string | undefined
}

/** Enough for any ordinary service, too little for a fork bomb. */
const DEFAULT_PIDS = 2_048
/** A log that grows without end fills the disk of every other app on the host. */
const LOG = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } as const

/** The body of POST /containers/create. Whatever the wish says, it can gain no privileges and mount no path of the host. */
export function containerSpec(wanted: WantedContainer): object {
  return {
    Image: wanted.image,
    Env: Object.entries(wanted.environment).map(([name, value]) => `${name}=${value}`),
    ...(wanted.command ? { Cmd: wanted.command } : {}),
    ...(wanted.user ? { User: wanted.user } : {}),
    Labels: wanted.labels,
    StopTimeout: wanted.stopGraceSeconds,
    ExposedPorts: exposed(wanted),
    HostConfig: hostConfig(wanted),
    NetworkingConfig: {
      EndpointsConfig: { [wanted.network.name]: endpoint(wanted.network) },
    },
  }
}

function endpoint({ ip }: WantedContainer['network']): object {
  return ip === undefined ? {} : { IPAMConfig: { IPv4Address: ip } }
}

function hostConfig(wanted: WantedContainer): object {
  return {
    NetworkMode: wanted.network.name,
    // Not `unless-stopped`: an engine that was killed stops what still runs at its next start, and then takes it for stopped by a person.
    RestartPolicy: { Name: wanted.sandbox ? 'no' : 'always' },
    // Reaps zombies and hands SIGTERM on, so that a program without handlers ends at once instead of after the grace time.
    Init: true,
    SecurityOpt: ['no-new-privileges'],
    // With raw sockets a container could take its neighbours' addresses on the shared bridge.
    CapDrop: wanted.sandbox ? ['ALL'] : ['NET_RAW', 'MKNOD'],
    PidsLimit: wanted.pids ?? DEFAULT_PIDS,
    ...(wanted.memoryBytes ? { Memory: wanted.memoryBytes, MemorySwap: wanted.memoryBytes } : {}),
    ...(wanted.cpus ? { NanoCpus: Math.round(wanted.cpus * 1e9) } : {}),
    ...(wanted.readOnly ? { ReadonlyRootfs: true } : {}),
    ...(wanted.readOnly || wanted.sandbox ? { Tmpfs: memoryFolders(wanted) } : {}),
    ...(wanted.sandbox?.sharedMemoryBytes ? { ShmSize: wanted.sandbox.sharedMemoryBytes } : {}),
    LogConfig: LOG,
    PortBindings: bindings(wanted.ports),
    Mounts: [
      ...wanted.volumes.map(volume => ({
        Type: 'volume',
        Source: volume.name,
        Target: volume.path,
        ReadOnly: volume.readOnly === true,
        VolumeOptions: { Labels: pick(wanted.labels, 'io.fairlead.app') },
      })),
      ...(wanted.sandbox?.secrets ? [secretsMount(wanted.sandbox.secrets)] : []),
    ],
  }
}

function memoryFolders({ sandbox }: WantedContainer): Record<string, string> {
  return sandbox
    ? Object.fromEntries(sandbox.memoryFolders.map(folder => [folder.path, mountOptions(folder)]))
    : { '/tmp': 'size=64m', '/run': 'size=16m' }
}

/** A volume and no plain folder in memory: the engine's archive request reaches volumes only. It goes with the container. */
function secretsMount(folder: MemoryFolder): object {
  const options = { type: 'tmpfs', device: 'tmpfs', o: mountOptions(folder) }
  return {
    Type: 'volume',
    Target: folder.path,
    VolumeOptions: { NoCopy: true, DriverConfig: { Name: 'local', Options: options } },
  }
}

function mountOptions({ uid, bytes }: MemoryFolder): string {
  return [`size=${bytes}`, ...(uid === undefined ? [] : ['mode=0700', `uid=${uid}`, `gid=${uid}`])].join(',')
}

function exposed(wanted: WantedContainer): Record<string, object> {
  const ports = wanted.ports.map(portKey)
  return Object.fromEntries([...(wanted.port ? [`${wanted.port}/tcp`] : []), ...ports].map(key => [key, {}]))
}

function bindings(ports: readonly PublishedPort[]): Record<string, object[]> {
  const all: Record<string, object[]> = {}
  for (const port of ports) {
    const list = all[portKey(port)] ?? []
    list.push({ HostPort: String(port.host), ...(port.address ? { HostIp: port.address } : {}) })
    all[portKey(port)] = list
  }
  return all
}

function portKey(port: PublishedPort): string {
  return `${port.container}/${port.protocol ?? 'tcp'}`
}

function pick(labels: Readonly<Record<string, string>>, key: string): Record<string, string> {
  const value = labels[key]
  return value === undefined ? {} : { [key]: value }
}
