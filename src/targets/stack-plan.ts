import { imagePrune, imagePush } from '#commands/image.ts'
import { swarmDeploy, swarmDown, swarmRestore, swarmTidy, swarmVerify } from '#commands/swarm.ts'
import { imageName, parseReference } from '#formats/image-reference.ts'
import { BUILD_CACHE } from './build-settings.ts'
import { buildImageTell } from './built-images.ts'
import { shownEnvironment } from './compose-release.ts'
import { publicationsOf } from './publication.ts'
import { namesOfImages } from './released-image.ts'
import { portsOf, stackChanges } from './stack-changes.ts'
import { decideStack, type StackDecision } from './stack-decision.ts'
import type { StackState } from './stack-found.ts'
import { readStackRelease, releasedStack, type StackRelease, stackImagesOf } from './stack-release.ts'
import type { StackSettings } from './stack-settings.ts'
import { type Plan, type PlanInput, resultOf, type Tell, tell } from './target.ts'

const EMPTY = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
} as const

/** Decides what to tell the worker from what it reported. Pure: the same input gives the same plan. */
export function planStack(input: PlanInput<StackSettings>): Plan {
  const decision = decideStack(input)
  const { builds, pushes, wants, services, mustApply } = decision
  const { variables, secrets } = wants
  const changes = stackChanges(decision)
  const release = { ...releaseOf(decision) }
  if (!mustApply) {
    return { ...EMPTY, release, changes, nothingToDo: true }
  }
  const { app, source, registry } = input
  return {
    ...EMPTY,
    build: builds.map(({ name, rendered, image }) =>
      buildImageTell({ app, source, registry, build: rendered.build, image }, name, {
        ...variables,
        ...secrets,
      }),
    ),
    push: pushes.flatMap(service => pushTells(decision, service)),
    apply: [deployTell(decision)],
    verify: [verifyTell(decision, resultOf('up', 'render'))],
    prune: pruneTells(decision),
    undo: [undoTell(decision)],
    publishes: publicationsOf(
      services.flatMap(({ rendered }) =>
        rendered.ports.map(each => ({ ...each, published: String(each.published) })),
      ),
    ),
    release,
    changes,
    nothingToDo: false,
  }
}

/** Asks whether what was found runs as a release of it should. */
export function verifyTell({ input, wants, asked }: StackDecision, render: Tell['data'][string]): Tell {
  return tell('verify', swarmVerify, {
    app: input.app.name,
    stack: wants.stack,
    render: render as string,
    ...(asked ? { asked } : {}),
  })
}

function releaseOf({ input, wants, services, mustApply, followed }: StackDecision): StackRelease {
  const before = readStackRelease(input.previous)
  const { stackRender, fingerprints, images } = mustApply
    ? {
        stackRender: resultOf('up', 'render'),
        fingerprints: resultOf('up', 'fingerprints'),
        images: resultOf('up', 'images'),
      }
    : before
  return {
    ...{ stack: wants.stack, stackRender, fingerprints, images },
    services: Object.fromEntries(services.map(({ name, hash }) => [name, hash])),
    ports: portsOf(services),
    published: publishedBy(services),
    environment: shownEnvironment(wants),
    ...(followed ? { followed } : {}),
  }
}

function publishedBy(services: readonly StackState[]): string[] {
  const ports = services.flatMap(({ rendered }) => rendered.ports)
  return [...new Set(ports.map(({ published, protocol }) => `${published}/${protocol}`))].sort()
}

function pushTells({ wants: { registry } }: StackDecision, { name, image }: StackState): Tell[] {
  return registry && image ? [tell(`push:${name}`, imagePush, { reference: image.reference, registry })] : []
}

function deployTell(decision: StackDecision): Tell {
  const { input, wants, found, services, pushes } = decision
  const built = services.filter(each => (each.image?.reference ?? each.made) !== undefined)
  const renders = [input.previous, ...(input.kept ?? [])].flatMap(
    release => releasedStack(release, wants.stack) ?? [],
  )
  return tell('up', swarmDeploy, {
    app: input.app.name,
    stack: wants.stack,
    render: found.rendered.render,
    content: Object.fromEntries(built.map(({ name, image, made }) => [name, image?.reference ?? made ?? ''])),
    built: Object.fromEntries(
      built.map(service => [
        service.name,
        pushes.includes(service) ? resultOf(`push:${service.name}`, 'reference') : sharedName(service),
      ]),
    ),
    ...(input.moved ? { pins: { ...input.moved } } : {}),
    keep: [...new Set(renders)],
    withinMs: wants.withinMs,
    registries: input.registry ? [input.registry] : [],
  })
}

/** By digest where the registry has it; else the name that it has on this host. */
function sharedName({ image, made }: StackState): string {
  if (made !== undefined) {
    return made
  }
  const parsed = parseReference(image?.reference ?? '')
  return parsed && image?.registryDigest
    ? `${imageName(parsed)}@${image.registryDigest}`
    : (image?.reference ?? '')
}

function pruneTells({ input, wants, services }: StackDecision): Tell[] {
  const app = input.app.name
  const { stack: before } = readStackRelease(input.previous)
  const releases = [input.previous, ...(input.kept ?? [])].flatMap(each => each ?? [])
  const keep = [
    ...services.flatMap(({ image }) => image?.reference ?? []),
    ...namesOfImages(releases.flatMap(stackImagesOf)),
  ]
  return [
    tell('tidy', swarmTidy, { stack: wants.stack, render: resultOf('up', 'render') }),
    ...(before === undefined || before === wants.stack
      ? []
      : [tell('down', swarmDown, { app, stack: before, volumes: 'keep' as const })]),
    tell('prune', imagePrune, { app, keep: [...new Set(keep)], keepLast: 0, buildCache: BUILD_CACHE }),
  ]
}

function undoTell({ input, wants }: StackDecision): Tell {
  if (input.isStopped) {
    return tell('undo', swarmDown, {
      app: input.app.name,
      stack: wants.stack,
      volumes: 'keep' as const,
      moved: true,
    })
  }
  return tell('undo', swarmRestore, {
    app: input.app.name,
    stack: wants.stack,
    render: releasedStack(input.previous, wants.stack) ?? null,
    withinMs: wants.withinMs,
    registries: input.registry ? [input.registry] : [],
  })
}
