import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerSpec, type WantedContainer } from './container-spec.ts'

interface Spec {
  Env: string[]
  Cmd?: string[]
  ExposedPorts: object
  HostConfig: Readonly<Record<string, unknown>>
  NetworkingConfig: object
}

function specOf(changes: Partial<WantedContainer>): Spec {
  return containerSpec({
    image: 'fairlead/shop:t-1',
    environment: {},
    labels: { 'io.fairlead.app': 'shop', 'io.fairlead.slot': '1' },
    network: { name: 'fairlead', ip: '10.1.0.17' },
    volumes: [],
    ports: [],
    stopGraceSeconds: 10,
    ...changes,
  }) as Spec
}

test('C01 C02 C04 C06 a container gains no privileges and shares no namespace of the host', () => {
  const { HostConfig } = specOf({})
  assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges'])
  assert.deepEqual(HostConfig.CapDrop, ['NET_RAW', 'MKNOD'])
  for (const key of [
    'Privileged',
    'CapAdd',
    'PidMode',
    'IpcMode',
    'UTSMode',
    'UsernsMode',
    'Devices',
    'Binds',
  ]) {
    assert.equal(HostConfig[key], undefined, key)
  }
})

test('C28 a fork bomb ends at a limit that nobody has to ask for', () => {
  assert.equal(specOf({}).HostConfig.PidsLimit, 2048)
  assert.equal(specOf({ pids: 64 }).HostConfig.PidsLimit, 64)
})

test('limits, command, environment and address are what was wanted', () => {
  const spec = specOf({
    memoryBytes: 1024,
    cpus: 1.5,
    command: ['a', 'b'],
    environment: { A: '1=2', B: '' },
    port: 80,
  })
  assert.deepEqual([spec.HostConfig.Memory, spec.HostConfig.MemorySwap], [1024, 1024])
  assert.equal(spec.HostConfig.NanoCpus, 1_500_000_000)
  assert.deepEqual(
    [spec.Cmd, spec.Env],
    [
      ['a', 'b'],
      ['A=1=2', 'B='],
    ],
  )
  assert.deepEqual(spec.ExposedPorts, { '80/tcp': {} })
  assert.deepEqual(spec.NetworkingConfig, {
    EndpointsConfig: { fairlead: { IPAMConfig: { IPv4Address: '10.1.0.17' } } },
  })
})

test('volumes are named ones that carry the label of their app', () => {
  const { HostConfig } = specOf({ volumes: [{ name: 'shop-data', path: '/data', readOnly: true }] })
  assert.deepEqual(HostConfig.Mounts, [
    {
      Type: 'volume',
      Source: 'shop-data',
      Target: '/data',
      ReadOnly: true,
      VolumeOptions: { Labels: { 'io.fairlead.app': 'shop' } },
    },
  ])
})

test('two host ports may lead to one port of the container', () => {
  const ports = [
    { host: 21000, container: 53, protocol: 'udp' },
    { host: 21001, container: 53, protocol: 'udp', address: '127.0.0.1' },
  ] as const
  assert.deepEqual(specOf({ ports }).HostConfig.PortBindings, {
    '53/udp': [{ HostPort: '21000' }, { HostPort: '21001', HostIp: '127.0.0.1' }],
  })
})

test('a read-only container can still write to /tmp', () => {
  const { HostConfig } = specOf({ readOnly: true })
  assert.equal(HostConfig.ReadonlyRootfs, true)
  assert.deepEqual(Object.keys(HostConfig.Tmpfs as object), ['/tmp', '/run'])
})

test('a sandbox has no capability, writes to memory only where it is told, and is never started by the engine', () => {
  const { HostConfig } = specOf({
    readOnly: true,
    sandbox: {
      memoryFolders: [{ path: '/tmp', bytes: 1024 }],
      sharedMemoryBytes: 4096,
      secrets: { path: '/run/secrets', uid: 1000, bytes: 65_536 },
    },
  })
  assert.deepEqual(HostConfig.CapDrop, ['ALL'])
  assert.deepEqual(HostConfig.RestartPolicy, { Name: 'no' })
  assert.deepEqual([HostConfig.ReadonlyRootfs, HostConfig.ShmSize], [true, 4096])
  assert.deepEqual(HostConfig.Tmpfs, { '/tmp': 'size=1024' })
  const [secrets] = HostConfig.Mounts as { Type: string; Source?: string; VolumeOptions: object }[]
  assert.deepEqual([secrets?.Type, secrets?.Source], ['volume', undefined])
  assert.match(JSON.stringify(secrets), /"type":"tmpfs".*size=65536,mode=0700,uid=1000,gid=1000/)
})
