import { shownEnvironment } from './compose-release.ts'
import { shortImage } from './image-change.ts'
import type { StackDecision } from './stack-decision.ts'
import type { StackState } from './stack-found.ts'
import { readStackRelease, textsIn } from './stack-release.ts'
import type { Change } from './target.ts'

/** The difference in words that a person can check. */
export function stackChanges(decision: StackDecision): readonly Change[] {
  const { services, builds, pushes, gone, found } = decision
  return [
    ...builds.map(
      each => ({ kind: 'build', what: nameOf(each), why: 'no image has this content yet' }) as const,
    ),
    ...pushes.map(each => ({ kind: 'push', what: nameOf(each) }) as const),
    ...environmentChanges(decision),
    ...services.map(each => serviceChange(each, found.nodes.length)),
    ...services.flatMap(imageChange),
    ...gone.map(name => ({ kind: 'remove', what: name, why: 'no longer in the Compose files' }) as const),
    ...portChanges(decision),
    ...found.rendered.findings
      .filter(({ rule }) => decision.mustApply && rule === 'POL022')
      .map(({ path, message }) => ({ kind: 'close', what: path, why: message }) as const),
  ]
}

function nameOf({ image, name }: StackState): string {
  return image?.reference ?? name
}

const WHY: Readonly<Record<StackState['state'], string>> = {
  missing: '',
  changed: 'its configuration or image changed',
  drifted: 'somebody changed it by hand',
  'not-running': 'it does not run as it should',
  'as-wanted': '',
}

function serviceChange({ name, state, rendered, live }: StackState, nodes: number): Change {
  if (state === 'as-wanted') {
    return { kind: 'untouched', what: name }
  }
  if (state === 'missing') {
    const count = rendered.replicas
    const [volume] = rendered.volumes
    const data = nodes > 1 && volume !== undefined ? `; its volume "${volume}" is on one node only` : ''
    return {
      kind: 'add',
      what: name,
      why: `${count === undefined ? 'on each node' : `${count} tasks`}${data}`,
    }
  }
  const why = [
    state === 'not-running' && live?.problem ? `${WHY[state]} (${live.problem})` : WHY[state],
    rendered.isBeside ? 'each new task starts beside the old one' : 'each old task is stopped first',
    'the swarm goes back when they fail',
  ]
  return { kind: rendered.isBeside ? 'replace' : 'recreate', what: name, why: why.join('; ') }
}

function imageChange({ name, state, image, moved, rendered, live }: StackState): Change[] {
  if (state !== 'changed' || !live) {
    return []
  }
  const to = image
    ? (image.registryDigest ?? image.localImageId ?? 'will be built')
    : (moved ?? rendered.image ?? '')
  const isSame = live.image === to || live.image.endsWith(`@${to}`)
  return isSame ? [] : [{ kind: 'image', what: name, from: shortImage(live.image), to: shortImage(to) }]
}

/** Ports that the release before had not, and that this one has no more. */
function portChanges({ input, services }: StackDecision): Change[] {
  const before = readStackRelease(input.previous).ports ?? []
  const now = portsOf(services)
  return [
    ...now.filter(port => !before.includes(port)).map(what => ({ kind: 'open', what }) as const),
    ...before.filter(port => !now.includes(port)).map(what => ({ kind: 'close', what }) as const),
  ]
}

export function portsOf(services: readonly StackState[]): string[] {
  return services.flatMap(({ name, rendered }) =>
    rendered.ports.map(
      ({ published, protocol, mode }) =>
        `port ${published}/${protocol} of ${name} ${mode === 'host' ? 'on the nodes that run it' : 'on every node'}`,
    ),
  )
}

/** Names of variables, never values. */
function environmentChanges({ input, wants }: StackDecision): Change[] {
  const old = readStackRelease(input.previous).environment
  if (!old) {
    return []
  }
  const now = textsIn(shownEnvironment(wants))
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().flatMap(name => {
    const why = old[name] === undefined ? 'added' : now[name] === undefined ? 'removed' : 'changed'
    return old[name] === now[name] ? [] : [{ kind: 'environment', what: name, why } as const]
  })
}
