import type { Call, Perform } from '#exec/call.ts'
import { performFile } from '#exec/files.ts'
import { createRecorder } from '#exec/recorder.ts'
import type { EngineFacts, Hands, HostFacts } from './command.ts'

/** An engine of a test: what it is asked about is answered from here, and what it removes goes from here. */
export interface TestEngine {
  readonly name: string
  readonly id: string
  /** Of the swarm that it manages; none: it is in none. */
  readonly swarm?: string
  /** How many machines the swarm has; default: none is told of. */
  readonly nodes?: number
  readonly api?: string
  /** Stack -> app that its one service belongs to. */
  readonly stacks?: Map<string, string>
  /** Stack -> the volume that its service mounts, on whatever node. */
  readonly mounts?: Readonly<Record<string, string>>
  /** Volume -> its labels. */
  volumes?: Readonly<Record<string, readonly string[]>>
  /** Network -> its labels. */
  readonly networks?: Readonly<Record<string, readonly string[]>>
  readonly facts?: Partial<EngineFacts>
  /** It does not answer. */
  isAway?: boolean
}

/** Hands on a host with these engines, the first of which is its own, and with a real folder. */
export function handsOnEngines(
  base: Hands,
  workspace: string,
  engines: readonly TestEngine[],
): (engine?: string) => Hands {
  const facts = engines.map(each => ({
    name: each.name,
    address: addressOf(each),
    labels: {},
    ...each.facts,
  }))
  const perform: Perform = async call =>
    call.kind === 'file'
      ? await performFile(call, { workspace })
      : await createRecorder([[() => true, asked => answerOf(engines, asked)]]).perform(call)
  const host: HostFacts = { ...base.host, workspace, engines: facts, dockerSocket: facts[0]?.address ?? '' }
  return name => {
    const engine = facts.slice(1).find(each => each.name === name)
    return {
      ...base,
      perform,
      host: engine ? { ...host, engine, dockerSocket: engine.address } : host,
    }
  }
}

function addressOf({ name }: TestEngine): string {
  return `/run/${name}.sock`
}

function answerOf(engines: readonly TestEngine[], call: Call<unknown>) {
  if (call.kind !== 'request' || call.engine.kind !== 'docker') {
    throw new Error('no test engine can answer this')
  }
  const { socket } = call.engine
  const engine = engines.find(each => addressOf(each) === socket)
  if (!engine || engine.isAway) {
    throw new Error(`${socket} does not answer`)
  }
  return { json: call.method === 'DELETE' ? removed(engine, call.path) : told(engine, call) }
}

function removed({ stacks }: TestEngine, path: string): undefined {
  const [, stack = ''] = /^\/services\/(.*)_web$/.exec(path) ?? []
  stacks?.delete(stack)
}

function told(engine: TestEngine, { path, query }: Call<unknown> & { readonly kind: 'request' }): unknown {
  const filters = String(query?.filters ?? '')
  switch (path) {
    case '/version':
      return { Version: '1', ApiVersion: engine.api ?? '1.41' }
    case '/info':
      return { ID: engine.id, Swarm: engine.swarm ? managing(engine.swarm) : {} }
    case '/nodes':
      return Array.from({ length: engine.nodes ?? 0 }, (_, index) => ({ ID: `node-${index}` }))
    case '/services':
      return [...(engine.stacks ?? [])]
        .filter(([stack]) => filters === '' || filters.includes(`namespace=${stack}"`))
        .map(([stack, app]) => serviceOf(stack, { app, volume: engine.mounts?.[stack] }))
    case '/volumes':
      return { Volumes: named(engine.volumes, filters) }
    case '/networks':
      return named(engine.networks, filters)
    default:
      return []
  }
}

/** As an engine does: a name is also found by a part of it. */
function named(things: TestEngine['volumes'] = {}, filters: string) {
  const { label = [], name = [] } = JSON.parse(filters) as { label?: string[]; name?: string[] }
  return Object.entries(things)
    .filter(
      ([Name, labels]) => labels.some(each => label.includes(each)) || name.some(each => Name.includes(each)),
    )
    .map(([Name, labels]) => ({ Name, Labels: Object.fromEntries(labels.map(each => each.split('='))) }))
}

function managing(swarm: string) {
  return { LocalNodeState: 'active', ControlAvailable: true, NodeID: 'node', Cluster: { ID: swarm } }
}

function mountOf(volume: string, stack: string) {
  const VolumeOptions = { Labels: { 'com.docker.stack.namespace': stack } }
  return { Type: 'volume', Source: volume, Target: '/data', VolumeOptions }
}

function serviceOf(stack: string, { app, volume }: { app: string; volume: string | undefined }) {
  const labels = {
    'com.docker.stack.namespace': stack,
    'io.fairlead.app': app,
    'io.fairlead.config': 'a'.repeat(64),
  }
  return {
    ID: `${stack}_web`,
    Version: { Index: 1 },
    Spec: {
      Name: `${stack}_web`,
      Labels: labels,
      TaskTemplate: {
        ContainerSpec: {
          Image: 'a:1',
          ...(volume === undefined ? {} : { Mounts: [mountOf(volume, stack)] }),
        },
      },
      Mode: {},
    },
  }
}
