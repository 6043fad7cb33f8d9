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
  readonly api?: string
  /** Stack -> app that its one service belongs to. */
  readonly stacks?: Map<string, string>
  /** Volume -> its labels. */
  readonly volumes?: Readonly<Record<string, readonly string[]>>
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
    case '/services':
      return [...(engine.stacks ?? [])]
        .filter(([stack]) => filters === '' || filters.includes(`namespace=${stack}"`))
        .map(([stack, app]) => serviceOf(stack, app))
    case '/volumes':
      return {
        Volumes: Object.entries(engine.volumes ?? {})
          .filter(([, labels]) => labels.some(label => filters.includes(`"${label}"`)))
          .map(([Name]) => ({ Name })),
      }
    default:
      return []
  }
}

function managing(swarm: string) {
  return { LocalNodeState: 'active', ControlAvailable: true, NodeID: 'node', Cluster: { ID: swarm } }
}

function serviceOf(stack: string, app: string) {
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
      TaskTemplate: { ContainerSpec: { Image: 'a:1' } },
      Mode: {},
    },
  }
}
