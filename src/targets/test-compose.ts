import assert from 'node:assert/strict'
import {
  composeDown,
  composeObserve,
  composeRender,
  composeRestore,
  composeRetire,
  composeUp,
  composeVerify,
} from '#commands/compose.ts'
import type { ComposeContainer } from '#commands/compose-data.ts'
import { deployedHash } from '#commands/compose-model.ts'
import { containerWatch } from '#commands/container.ts'
import { imageBuild, imageContent, imagePrune, imagePush } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { routeObserve, routePoint, routeRemove } from '#commands/route.ts'
import { problemsOf } from '#lib/check.ts'
import { compose } from './compose.ts'
import type { ComposeSettings } from './compose-settings.ts'
import type { Plan, PlanInput, Tell } from './target.ts'

const PORTS = [{ published: '20080', target: 80 }]

const COMMIT = 'c'.repeat(40)
const RENDER = 'd'.repeat(64)
export const LIVE = 'e'.repeat(64)
export const DIGEST = `sha256:${'1'.repeat(64)}`
export const REGISTRY = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
export const FILE =
  'services: { db: { image: pg, expose: [5432] }, web: { image: nginx, ports: ["8080:80"] } }'

const COMMANDS = Object.fromEntries(
  [
    ...[composeDown, composeObserve, composeRender, composeRestore, composeRetire, composeUp, composeVerify],
    ...[
      containerWatch,
      imageBuild,
      imageContent,
      imagePrune,
      imagePush,
      routeObserve,
      routePoint,
      routeRemove,
    ],
  ].map(command => [command.name, command]),
)

type Input = PlanInput<ComposeSettings>
/** As the manager holds it, which knows no target's settings. */
export type AnyInput = PlanInput<Record<string, unknown>>

/** Two services: db from a registry, web built here; web has the route. */
export interface World {
  readonly web?: Partial<ComposeContainer> | 'none'
  readonly db?: Partial<ComposeContainer> | 'none'
  readonly image?: Partial<ImageContent>
  readonly route?: object | null
  readonly orphan?: boolean
  /** A container of web that an earlier deployment left. */
  readonly old?: Partial<ComposeContainer>
  /** Why two containers of web cannot run at once. */
  readonly alone?: readonly string[]
  readonly released?: boolean
  readonly settings?: ComposeSettings
  readonly registry?: typeof REGISTRY
}

export const [WEB_HASH, DB_HASH] = ['a'.repeat(64), 'b'.repeat(64)]

export function anInput(world: World = {}): Input {
  const registry = world.registry
  const reference = `${registry ? `${registry.address}/` : 'fairlead/'}shop-web:t-${'1'.repeat(32)}`
  const build = {
    context: '.',
    dockerfile: 'Dockerfile',
    args: { MODE: 'prod' },
    secrets: { npm: 'NPM_TOKEN' },
  }
  const containers = [
    ...(world.db === 'none' ? [] : [aContainer('db', DB_HASH, world.db)]),
    ...(world.web === 'none'
      ? []
      : [
          aContainer('web', deployedHash({ hash: WEB_HASH }, reference), {
            ip: '10.1.0.32',
            hostPorts: ['20080'],
            ...world.web,
          }),
        ]),
    ...(world.old ? [aContainer('web', 'other', { ip: '10.1.0.33', name: 'shop-web-2', ...world.old })] : []),
    ...(world.orphan ? [aContainer('old', DB_HASH)] : []),
  ]
  return {
    app: { name: 'shop', baseDomain: 'example.org' },
    settings: world.settings ?? {
      files: ['compose.yaml'],
      environment: { MODE: 'prod', NPM_TOKEN: '$NPM', PRICE: '$$5' },
      routes: [{ service: 'web', port: 80 }],
    },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: {
      commit: COMMIT,
      branch: 'main',
      repository: 'r1',
      texts: { 'compose.yaml': FILE },
      paths: ['compose.yaml'],
    },
    found: {
      render: {
        render: RENDER,
        services: {
          web: {
            hash: WEB_HASH,
            build,
            dependsOn: ['db'],
            replicas: 1,
            mayComplete: true,
            alone: world.alone ?? [],
            ports: PORTS,
          },
          db: {
            hash: DB_HASH,
            image: 'pg:16',
            dependsOn: [],
            replicas: 1,
            mayComplete: true,
            alone: [],
            ports: [],
          },
        },
        routes: [{ service: 'web', port: 80, name: 'web.shop', slots: ['10.1.0.32', '10.1.0.33'] }],
        findings: [],
        warnings: [],
      },
      containers: { containers },
      images: {
        images: [
          { key: 'web', tag: 't', reference, localImageId: 'sha256:web', registry: 'none', ...world.image },
        ],
      },
      routes: {
        routes: {
          'web.shop':
            world.route === undefined
              ? { hosts: ['shop.example.org'], port: 80, ip: '10.1.0.32', deployment: 'old' }
              : world.route,
        },
      },
    },
    registry,
    secrets: { NPM: 'npm-secret-value' },
    previous:
      world.released === false
        ? undefined
        : {
            id: 'r',
            commit: COMMIT,
            configHash: 'x',
            content: { project: 'shop', render: LIVE, images: {}, routes: ['web.shop'] },
          },
  }
}

function aContainer(
  service: string,
  configHash: string,
  changes: Partial<ComposeContainer> = {},
): ComposeContainer {
  return {
    service,
    id: service.repeat(8),
    name: `shop-${service}-1`,
    state: 'running',
    health: 'none',
    exitCode: 0,
    restarts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    configHash,
    image: service,
    imageId: `sha256:${service}`,
    ownVolumes: false,
    ...changes,
  }
}

export function plan(world: World = {}): Plan {
  return compose.plan(anInput(world) as AnyInput)
}

export function commands(tells: readonly Tell[]): string[] {
  return tells.map(tell => `${tell.key}: ${tell.command}`)
}

export function everyTell(made: Plan): Tell[] {
  return [
    made.build,
    made.push,
    made.apply,
    made.verify,
    made.route,
    made.watch,
    made.prune,
    made.undo,
  ].flat()
}

/** Every command of a plan is one of the target and accepts its data. */
export function assertTellable(tells: readonly Tell[]): void {
  for (const { key, command, data } of tells) {
    assert.deepEqual(problemsOf(COMMANDS[command]?.data ?? {}, filled(data)), [], key)
  }
}

/** Puts what a worker would have answered where a result of an earlier command will be. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(filled)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('$result' in value && 'field' in value) {
    return RESULTS[String(value.field)]
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]))
}

const RESULTS: Readonly<Record<string, unknown>> = {
  containers: [aContainer('web', WEB_HASH, { id: 'c'.repeat(64) })],
  addresses: '10.1.0.33',
}
