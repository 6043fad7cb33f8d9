import assert from 'node:assert/strict'
import {
  containerObserve,
  containerRemove,
  containerStart,
  containerVerify,
  containerWatch,
} from '#commands/container.ts'
import type { ObservedContainer } from '#commands/container-data.ts'
import { imageBuild, imageContent, imagePrune, imagePush } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { routeObserve, routePoint, routeRemove } from '#commands/route.ts'
import { problemsOf } from '#lib/check.ts'
import type { ContainerSettings } from './container-settings.ts'
import { configHashOf, wantsOf } from './container-wants.ts'
import type { Plan, PlanInput, Tell } from './target.ts'

export const COMMIT = 'c'.repeat(40)
export const DIGEST = `sha256:${'d'.repeat(64)}`
export const REGISTRY = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
export const LOCAL = `fairlead/shop:t-${'1'.repeat(32)}`
export const REMOTE = `registry.example:5000/shop:t-${'1'.repeat(32)}`
export const PINNED = `registry.example:5000/shop@${DIGEST}`

const COMMANDS = Object.fromEntries(
  [
    ...[containerObserve, containerRemove, containerStart, containerVerify, containerWatch],
    ...[imageBuild, imageContent, imagePrune, imagePush, routeObserve, routePoint, routeRemove],
  ].map(command => [command.name, command]),
)

export type Input = PlanInput<ContainerSettings>

/** What the plan of a new app is made from, with changes. */
export function anInput(changes: Partial<Input> = {}): Input {
  return {
    app: { name: 'shop', baseDomain: 'example.org' },
    settings: { port: 8080 },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: { commit: COMMIT, branch: 'main', repository: 'r1', texts: {}, paths: ['Dockerfile'] },
    found: {
      content: { images: [content({})] },
      containers: { containers: [] },
      routes: { routes: { shop: null } },
    },
    registry: undefined,
    secrets: {},
    previous: undefined,
    ...changes,
  }
}

/** What a worker says of the image, with changes. */
export function content(changes: Partial<ImageContent>): ImageContent {
  return { key: 'shop', tag: `t-${'1'.repeat(32)}`, reference: LOCAL, registry: 'none', ...changes }
}

/** A container that serves, with changes. */
export function aContainer(changes: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: 'abc',
    name: 'shop-0000000a',
    deployment: 'old',
    commit: COMMIT,
    configHash: 'other',
    state: 'running',
    health: 'none',
    exitCode: 0,
    restarts: 0,
    image: LOCAL,
    imageId: `sha256:${'e'.repeat(64)}`,
    ip: '10.1.0.16',
    startedAt: '2026-11-20T10:00:00Z',
    serving: true,
    ...changes,
  }
}

/** The same app after it was deployed: its container and route are as wanted. */
export function settled(input: Input, image = content({ localImageId: 'sha256:1' })): Input {
  const configHash = configHashOf(wantsOf(input), image.reference)
  const one = aContainer({ configHash })
  const wants = wantsOf(input)
  const route =
    wants.hosts.length === 0
      ? null
      : { hosts: [...wants.hosts], port: wants.run.port, ip: one.ip, deployment: one.deployment }
  return {
    ...input,
    found: {
      content: { images: [image] },
      containers: { containers: [one] },
      routes: { routes: { shop: route } },
    },
  }
}

/** The commands of each list of a plan. */
export function commandsOf(plan: Plan): Record<string, string[]> {
  const lists = ['build', 'push', 'apply', 'verify', 'route', 'watch', 'prune', 'undo'] as const
  return Object.fromEntries(lists.map(list => [list, plan[list].map(tell => tell.command)]))
}

/** The data of the first tell of a command. */
export function dataOf(tells: readonly Tell[], command: string): Readonly<Record<string, unknown>> {
  const found = tells.find(tell => tell.command === command)
  assert.ok(found, `no ${command}`)
  return found.data
}

const RESULTS: Readonly<Record<string, unknown>> = {
  ip: '10.1.0.17',
  container: { id: 'f'.repeat(64), name: 'shop-1', startedAt: 'now', restarts: 0 },
}

/** Puts a text where a result of an earlier command will be. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(filled)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('$result' in value) {
    return 'field' in value ? (RESULTS[String(value.field)] ?? PINNED) : PINNED
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]))
}

/** Every command of a plan is one of the target and accepts its data. */
export function assertTellable(plan: Plan): void {
  for (const tell of [
    plan.build,
    plan.push,
    plan.apply,
    plan.verify,
    plan.route,
    plan.watch,
    plan.prune,
    plan.undo,
  ].flat()) {
    const command = COMMANDS[tell.command]
    assert.ok(command, `${tell.command} is not a command of this target`)
    assert.deepEqual(problemsOf(command.data, filled(tell.data)), [], tell.command)
  }
}
