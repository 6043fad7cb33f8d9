import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineAnswer } from '#exec/call.ts'
import { inspectWhole } from './container-parts.ts'

const ID = 'ab12'.repeat(16)
const RAW = {
  Id: ID,
  Name: '/shop-web-1',
  Image: 'sha256:1',
  State: { Status: 'running', Health: { Status: 'healthy', Log: [{ ExitCode: 0, Output: 'ok' }] } },
  RestartCount: 0,
  Config: {
    Hostname: ID.slice(0, 12),
    Env: ['TOKEN=a=b', 'EMPTY='],
    Labels: { team: 'blue', 'com.docker.compose.project.environment_file': '/tmp/x' },
    Cmd: ['serve'],
  },
  HostConfig: {
    Memory: 67_108_864,
    PidsLimit: null,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    CapDrop: ['B', 'A'],
    NetworkMode: 'container:other',
    PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
  },
  Mounts: [
    { Type: 'volume', Name: 'data', Source: '/x', Destination: '/data', RW: true },
    { Type: 'volume', Name: 'f'.repeat(64), Source: '/y', Destination: '/cache', RW: true },
    { Type: 'bind', Source: '/etc/a', Destination: '/a', RW: false },
  ],
  NetworkSettings: { Networks: { own: { Aliases: ['web', 'api', ID.slice(0, 12)], IPAMConfig: null } } },
}

function partsOf(change: object = {}) {
  const answer = { status: 200, json: { ...RAW, ...change } } as unknown as EngineAnswer
  return inspectWhole('/s', ID).read(answer)?.parts ?? []
}

function valueAt(name: string, change: object = {}): string | undefined {
  return partsOf(change).find(part => part.name === name)?.value
}

test('a container is told part by part, in the words by which a person changed it', () => {
  for (const [name, value] of [
    ['name', 'shop-web-1'],
    ['image', 'sha256:1'],
    ['environment:TOKEN', 'a=b'],
    ['environment:EMPTY', ''],
    ['label:team', 'blue'],
    ['memory', '67108864'],
    ['processes', '0'],
    ['restart', 'on-failure:3'],
    ['dropped-capabilities', '["A","B"]'],
    ['network-mode', 'container'],
    ['port:80/tcp', ':8080'],
    ['mount:/data', 'volume data'],
    ['mount:/cache', 'volume anonymous'],
    ['mount:/a', 'bind /etc/a (read-only)'],
    ['network:own', 'api web'],
  ] as const) {
    assert.equal(valueAt(name), value, name)
  }
})

test('what may hold a secret is private', () => {
  const isPrivate = Object.fromEntries(partsOf().map(part => [part.name, part.isPrivate]))
  for (const name of [
    'environment:TOKEN',
    'label:team',
    'command',
    'entrypoint',
    'health-check',
    'logging',
  ]) {
    assert.equal(isPrivate[name], true, name)
  }
  assert.deepEqual([isPrivate.memory, isPrivate['network:own']], [false, false])
})

test('what is volatile, or says the same in another way, changes no part', () => {
  const { HostConfig, NetworkSettings } = RAW
  for (const change of [
    { State: { Status: 'exited', ExitCode: 1 } },
    { RestartCount: 7 },
    { HostConfig: { ...HostConfig, CapDrop: ['A', 'B'], PidsLimit: 0, Devices: [] } },
    { Config: { ...RAW.Config, Hostname: 'other', Labels: { team: 'blue' } } },
    { NetworkSettings: { ...NetworkSettings, Ports: { '80/tcp': [{ HostPort: '1' }] } } },
    {
      NetworkSettings: {
        Networks: { own: { Aliases: ['api', 'web', 'c'.repeat(12)], IPAddress: '10.0.0.9' } },
      },
    },
  ]) {
    assert.deepEqual(partsOf(change), partsOf(), JSON.stringify(change))
  }
})
