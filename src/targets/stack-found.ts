import { deployedHash } from '#commands/compose-model.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { StackRender, StackService, SwarmNodeData, SwarmServiceData } from '#commands/swarm-data.ts'
import { withTag } from '#formats/image-reference.ts'
import { readStackRelease, textsIn } from './stack-release.ts'
import type { StackSettings } from './stack-settings.ts'
import type { LookInput } from './target.ts'

/** The worker's answers to look(), as their commands' result schemas shape them. */
export interface StackFound {
  readonly rendered: StackRender
  readonly nodes: readonly SwarmNodeData[]
  readonly live: readonly SwarmServiceData[]
  /** Of the services that are built, by service. */
  readonly images: ReadonlyMap<string, ImageContent>
}

export function stackFoundOf(found: Readonly<Record<string, unknown>>): StackFound {
  const { recalled, render, swarm, images } = found as {
    recalled?: { release?: StackRender }
    render: StackRender
    swarm: { nodes: readonly SwarmNodeData[]; services: readonly SwarmServiceData[] }
    images?: { images: readonly ImageContent[] }
  }
  return {
    rendered: recalled?.release ?? render,
    nodes: swarm.nodes,
    live: swarm.services,
    images: new Map((images?.images ?? []).map(each => [each.key, each])),
  }
}

/** One service, what it shall be made from, and what the swarm has of it. */
export interface StackState {
  readonly name: string
  readonly rendered: StackService
  readonly image: ImageContent | undefined
  /** The image that it runs, by digest or id, when another app of the repository makes that. */
  readonly made: string | undefined
  /** What its tag means by now, by digest, when it is made anew for that. */
  readonly moved: string | undefined
  /** The label that the service shall have. */
  readonly hash: string
  readonly live: SwarmServiceData | undefined
  readonly state: 'missing' | 'changed' | 'drifted' | 'not-running' | 'as-wanted'
}

/** Every wanted service compared with what the swarm has, in the order of their names. */
export function stackStates(input: LookInput<StackSettings>): readonly StackState[] {
  const { rendered, live, images } = stackFoundOf(input.found)
  const released = textsIn(readStackRelease(input.previous).fingerprints)
  return Object.entries(rendered.services)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, service]) => {
      const image = images.get(name)
      const made = image ? undefined : input.made?.[withTag(service.image ?? '')]
      const compared = {
        name,
        rendered: service,
        image,
        made,
        hash: deployedHash(service, image?.reference ?? made),
        live: live.find(each => each.name === name),
      }
      const isDrifted =
        (released[name] !== undefined && released[name] !== compared.live?.fingerprint) ||
        input.drifted?.containers.includes(compared.live?.id ?? '') === true
      const moved = input.moved?.[name]
      const hasMoved = moved !== undefined && compared.live !== undefined && compared.live.image !== moved
      return { ...compared, moved, state: hasMoved ? 'changed' : stateOf(compared, isDrifted) }
    })
}

function stateOf({ hash, live }: Pick<StackState, 'hash' | 'live'>, isDrifted: boolean): StackState['state'] {
  if (!live) {
    return 'missing'
  }
  if (live.configHash !== hash) {
    return 'changed'
  }
  if (isDrifted) {
    return 'drifted'
  }
  return live.isSettled ? 'as-wanted' : 'not-running'
}
