import { join, relative } from 'node:path'
import type { RawFinding } from '#policy/finding.ts'
import { type Shape, scalarText, shapeOf, shapesOf } from '#policy/shape.ts'
import { treesOf } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import { mountedFiles } from './compose-folders.ts'
import { hashOf, VARIABLE_KEY } from './compose-model.ts'
import { foldersOf } from './repository-folders.ts'

/** A rendered project and where its files lie now. */
export interface Mounting {
  readonly model: Shape
  readonly project: string
  readonly checkout: string
  readonly repository: string
  readonly commit: string
  readonly variables: Readonly<Record<string, string>>
}

export interface Mounted {
  readonly model: Shape
  /** Paths of the repository -> id of their content. */
  readonly mounts: Readonly<Record<string, string>>
  /** Values of variables that services mount as files, by the name of the file. */
  readonly valueFiles: ReadonlyMap<string, string>
  readonly findings: readonly RawFinding[]
}

/**
 * Lets services mount copies that are named by their content instead of the checkout of one commit: a container is
 * made anew when its files changed, not with every commit, and goes on when the checkout is removed.
 */
export async function mountByContent(hands: Hands, mounting: Mounting): Promise<Mounted> {
  const { model, checkout, project, repository, commit } = mounting
  const folder = mountedFiles(hands.host.workspace, project)
  const paths = [...new Set(mountedPaths(model, checkout))].sort()
  const ids: Readonly<Record<string, string | null>> =
    paths.length === 0
      ? {}
      : await hands.perform(treesOf(foldersOf(hands.host.workspace, repository).mirror, commit, paths))
  const place = (path: unknown): unknown => {
    const id = ids[pathInside(checkout, path) ?? '']
    return id ? join(folder, id) : path
  }
  const { secrets, configs, valueFiles } = sourcesByContent(mounting, { folder, place })
  const services = Object.entries(shapeOf(model.services)).map(([name, service]) => [
    name,
    withVolumes(shapeOf(service), mount =>
      mount.type === 'bind' ? { ...mount, source: place(mount.source) } : mount,
    ),
  ])
  return {
    model: { ...model, services: Object.fromEntries(services), ...secrets, ...configs },
    mounts: Object.fromEntries(paths.flatMap(path => (ids[path] ? [[path, ids[path]]] : []))),
    valueFiles,
    findings: missingPaths(mounting, ids),
  }
}

function mountedPaths(model: Shape, checkout: string): string[] {
  const binds = Object.values(shapeOf(model.services)).flatMap(service =>
    shapesOf(shapeOf(service).volumes).flatMap(mount => (mount.type === 'bind' ? [mount.source] : [])),
  )
  const files = [...Object.values(shapeOf(model.secrets)), ...Object.values(shapeOf(model.configs))].map(
    source => shapeOf(source).file,
  )
  return [...binds, ...files].flatMap(path => pathInside(checkout, path) ?? [])
}

/** `.` for the checkout itself; undefined for what is elsewhere (a host in trusted mode may mount that). */
function pathInside(checkout: string, path: unknown): string | undefined {
  const text = scalarText(path)?.replaceAll('$$', '$')
  if (text === undefined || !text.startsWith('/')) {
    return undefined
  }
  const inside = relative(checkout, text)
  return inside === '..' || inside.startsWith('../') ? undefined : inside || '.'
}

function withVolumes(service: Shape, change: (mount: Shape) => Shape): Shape {
  return service.volumes === undefined
    ? service
    : { ...service, volumes: shapesOf(service.volumes).map(change) }
}

interface Places {
  readonly folder: string
  readonly place: (path: unknown) => unknown
}

/** Secrets and configs as files by their content; a value of a variable becomes a file of its own. */
function sourcesByContent(mounting: Mounting, { folder, place }: Places) {
  const valueFiles = new Map<string, string>()
  const byContent = (source: Shape): Shape => {
    const variable = scalarText(source.environment)
    const written = scalarText(source.content)?.replaceAll('$$', '$')
    const value = variable === undefined ? written : (mounting.variables[variable] ?? '')
    if (value === undefined) {
      return source.file === undefined ? source : { ...source, file: place(source.file) }
    }
    const { environment: _, content: __, ...rest } = source
    const name = `value-${hashOf(value)}`
    valueFiles.set(name, value)
    return {
      ...rest,
      file: join(folder, name),
      ...(variable === undefined ? {} : { [VARIABLE_KEY]: variable }),
    }
  }
  const secrets = mapSources(mounting.model.secrets, byContent)
  const configs = mapSources(mounting.model.configs, byContent)
  return {
    secrets: secrets ? { secrets } : {},
    configs: configs ? { configs } : {},
    valueFiles,
  }
}

function mapSources(sources: unknown, change: (source: Shape) => Shape): Shape | undefined {
  const entries = Object.entries(shapeOf(sources)).map(([name, source]) => [name, change(shapeOf(source))])
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Docker would make an empty folder of root's in their place. */
function missingPaths(
  { model, checkout }: Mounting,
  ids: Readonly<Record<string, string | null>>,
): RawFinding[] {
  const isMissing = (path: unknown) => {
    const inside = pathInside(checkout, path)
    return inside !== undefined && !ids[inside]
  }
  const finding = (path: RawFinding['path'], source: unknown): RawFinding => ({
    rule: 'POL015',
    severity: 'error',
    path,
    message: `"${pathInside(checkout, source)}" is not in the repository.`,
    fix: 'Commit it, or use a named volume for data that the service writes.',
  })
  const binds = Object.entries(shapeOf(model.services)).flatMap(([name, service]) =>
    shapesOf(shapeOf(service).volumes).flatMap((mount, index) =>
      mount.type === 'bind' && isMissing(mount.source)
        ? [finding(['services', name, 'volumes', index], mount.source)]
        : [],
    ),
  )
  const files = (['secrets', 'configs'] as const).flatMap(kind =>
    Object.entries(shapeOf(model[kind])).flatMap(([name, source]) =>
      isMissing(shapeOf(source).file) ? [finding([kind, name, 'file'], shapeOf(source).file)] : [],
    ),
  )
  return [...binds, ...files]
}
