import { posix } from 'node:path'
import { parse } from 'yaml'
import { appNameOf } from '#deploy-file/conventions.ts'
import type { DeployFolder } from './deploy-folder.ts'

const COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']
/** A repository with more Dockerfiles wants a person to choose. */
const MAX_APPS = 20

interface Suggestion {
  readonly name: string
  readonly lines: readonly string[]
}

/** A commented deploy file for what a folder holds; undefined when there is nothing to deploy in it. */
export function suggestDeployFile(folder: DeployFolder): string | undefined {
  const found = suggestions(folder)
  if (found.length === 0) {
    return undefined
  }
  return [
    '# What is deployed from this repository, and how. "fairlead check" says what is wrong with it.',
    'version: 1',
    'apps:',
    ...withOneNameEach(found).flatMap(({ name, lines }, index) => [
      ...(index === 0 ? [] : ['']),
      `  ${name}:`,
      ...lines.map(line => `    ${line}`),
    ]),
    '',
  ].join('\n')
}

function suggestions(folder: DeployFolder): Suggestion[] {
  const composeFiles = folder.paths.filter(
    path => COMPOSE_FILES.includes(posix.basename(path)) && depthOf(path) <= 2,
  )
  const composeFolders = composeFiles.map(path => posix.dirname(path))
  // A Dockerfile beside or below a Compose file is most likely built by it.
  const dockerfiles = folder.paths.filter(
    path =>
      posix.basename(path) === 'Dockerfile' &&
      depthOf(path) <= 2 &&
      !composeFolders.some(place => place === '.' || path.startsWith(`${place}/`)),
  )
  return [
    ...composeFiles.map(path => composeApp(folder, path)),
    ...dockerfiles.map(path => containerApp(folder, path)),
  ].slice(0, MAX_APPS)
}

function depthOf(path: string): number {
  return path.split('/').length - 1
}

function containerApp(folder: DeployFolder, path: string): Suggestion {
  const place = posix.dirname(path)
  const port = exposedPort(folder.text(path))
  return {
    name: appNameOf(place === '.' ? folder.name : place),
    lines: [
      'target: container',
      ...(place === '.' ? [] : [`context: ${JSON.stringify(place)}`]),
      port === undefined ? '# port: 8080                  port that it listens on' : `port: ${port}`,
      '# domain: app.example.org     default: <app>.<base domain of the manager>',
      '# environment: { MODE: production, API_KEY: $API_KEY }    a value $NAME is a secret ("fairlead secrets set")',
      '# volumes: [{ name: data, path: /data }]                  kept over deployments',
      '# health: { http: /healthz, within: 60s }                 default: the HEALTHCHECK of the image',
    ],
  }
}

function composeApp(folder: DeployFolder, path: string): Suggestion {
  const place = posix.dirname(path)
  const routed = routedService(folder, path)
  return {
    name: appNameOf(place === '.' ? folder.name : place),
    lines: [
      'target: compose',
      `files: [${JSON.stringify(path)}]`,
      ...(routed
        ? ['routes:', `  - service: ${JSON.stringify(routed.service)}`, `    port: ${routed.port}`]
        : ['# routes:', '#   - service: web', '#     port: 8080']),
      '    # domain: app.example.org     default: <app>.<base domain of the manager>'.slice(routed ? 0 : 4),
    ],
  }
}

interface WrittenService {
  readonly ports?: unknown
  readonly expose?: unknown
  readonly build?: string | { readonly context?: string } | null
}

/** The first service that publishes or exposes a port, itself or in its Dockerfile, as visitors would reach it. */
function routedService(folder: DeployFolder, path: string): { service: string; port: number } | undefined {
  for (const [service, settings] of Object.entries(servicesOf(folder.text(path) ?? ''))) {
    const { ports, expose, build } = settings ?? {}
    const [port] = [...portsIn(ports), ...portsIn(expose), ...builtPort(folder, posix.dirname(path), build)]
    if (port !== undefined) {
      return { service, port }
    }
  }
  return undefined
}

function builtPort(folder: DeployFolder, place: string, build: WrittenService['build']): number[] {
  const context = typeof build === 'string' ? build : build?.context
  if (context === undefined) {
    return []
  }
  const port = exposedPort(folder.text(posix.join(place, context, 'Dockerfile')))
  return port === undefined ? [] : [port]
}

function exposedPort(dockerfile: string | undefined): number | undefined {
  const port = /^\s*EXPOSE\s+(\d+)/im.exec(dockerfile ?? '')?.[1]
  return port === undefined ? undefined : Number(port)
}

function portsIn(list: unknown): number[] {
  return Array.isArray(list) ? list.flatMap(port => insidePort(port) ?? []) : []
}

function servicesOf(text: string): Record<string, WrittenService | null> {
  try {
    const { services } = parse(text) as { services?: Record<string, WrittenService | null> }
    return services ?? {}
  } catch {
    return {}
  }
}

function insidePort(port: unknown): number | undefined {
  const target = typeof port === 'object' && port !== null ? (port as { target?: unknown }).target : port
  const inside = String(target).split(':').at(-1)?.split('/')[0]
  return inside !== undefined && /^\d{1,5}$/.test(inside) ? Number(inside) : undefined
}

function withOneNameEach(found: readonly Suggestion[]): Suggestion[] {
  const taken = new Set<string>()
  return found.map(suggestion => {
    let { name } = suggestion
    for (let count = 2; taken.has(name); count++) {
      name = `${suggestion.name.slice(0, 36)}-${count}`
    }
    taken.add(name)
    return { ...suggestion, name }
  })
}
