import { posix } from 'node:path'
import { readYaml } from './yaml-text.ts'

/** What a stack is made of beside its Compose files, as far as these say it by themselves. */
export interface ComposeInputs {
  /** Files and folders from the root of the repository; `**` when they cannot be told. */
  readonly paths: readonly string[]
  /** References of the images that services run. */
  readonly images: readonly string[]
}

export const EVERYTHING = '**'

/**
 * Build contexts, Dockerfiles and the files that services, configs and secrets take from the tree. Paths of merged files
 * begin at the folder of the first. What has a variable in it, and what Compose includes, may be anywhere.
 */
export function composeInputs(texts: readonly string[], folder: string): ComposeInputs {
  const found: Found = { paths: new Set(), images: new Set(), folder }
  for (const text of texts) {
    const { value, problems } = readYaml(text)
    const model = recordOf(value)
    if (problems.length > 0 || model === undefined || model.include !== undefined) {
      found.paths.add(EVERYTHING)
    }
    for (const service of Object.values(recordOf(model?.services) ?? {})) {
      readService(found, recordOf(service) ?? {})
    }
    for (const group of [model?.configs, model?.secrets]) {
      for (const each of Object.values(recordOf(group) ?? {})) {
        addPath(found, recordOf(each)?.file)
      }
    }
  }
  const paths = [...found.paths].sort()
  return {
    paths: paths.includes(EVERYTHING) ? [EVERYTHING] : paths,
    images: [...found.images].sort(),
  }
}

interface Found {
  readonly paths: Set<string>
  readonly images: Set<string>
  readonly folder: string
}

function readService(found: Found, service: Record<string, unknown>): void {
  const { build, image, env_file, extends: base } = service
  if ('<<' in service) {
    found.paths.add(EVERYTHING)
  }
  if (typeof image === 'string') {
    found.images.add(image)
  }
  for (const each of Array.isArray(env_file) ? env_file : [env_file]) {
    addPath(found, typeof each === 'string' ? each : recordOf(each)?.path)
  }
  addPath(found, recordOf(base)?.file)
  if (typeof build === 'string') {
    addPath(found, build)
    return
  }
  const { context, dockerfile, additional_contexts: more } = recordOf(build) ?? {}
  addPath(found, context ?? (build ? '.' : undefined))
  if (typeof dockerfile === 'string') {
    addPath(found, posix.join(typeof context === 'string' ? context : '.', dockerfile))
  }
  const others = Array.isArray(more) ? more.map(each => String(each).split('=')[1]) : valuesOf(more)
  for (const each of others) {
    addPath(found, each)
  }
}

function addPath({ paths, folder }: Found, path: unknown): void {
  if (typeof path !== 'string' || path === '' || isElsewhere(path)) {
    return
  }
  const whole = posix.normalize(posix.join(folder, path)).replace(/\/$/, '')
  paths.add(path.includes('$') || whole === '.' || whole.startsWith('..') ? EVERYTHING : whole)
}

/** Not in the tree: a URL, another repository, an image, a place on the host. */
function isElsewhere(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|docker-image:|service:|oci-layout:|\/|~)/i.test(path)
}

function valuesOf(value: unknown): unknown[] {
  return Object.values(recordOf(value) ?? {})
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
