import { posix } from 'node:path'
import { compileGlob, isPlain } from '#formats/docker-glob.ts'
import type { Problem } from '#lib/errors.ts'
import { type FoundProject, fingerprintOf, targetSettingsOf } from '#targets/notebook-project.ts'
import type { ReadApp } from './parse.ts'

const TARGET = 'notebook'

/** Whether a deploy file asks for notebook projects, which only a scan can tell. */
export function namesNotebooks(apps: readonly ReadApp[]): boolean {
  return apps.some(({ target }) => target === TARGET)
}

export interface FoundNotebooks {
  readonly apps: readonly ReadApp[]
  /** By name: apps of projects whose nb.yaml is wrong. They are wanted, as far as anybody knows. */
  readonly broken: ReadonlyMap<string, readonly Problem[]>
  /** Projects that are looked at without a server, those that are wrong among them. */
  readonly shown: readonly FoundProject[]
}

/** The apps of a repository without a deploy file in which nothing else is found. What is only guessed is no app. */
export function notebookApps(projects: readonly FoundProject[]): FoundNotebooks {
  const hasServer = (project: FoundProject) => project.serves && isServed(project)
  return {
    apps: projects
      .filter(hasServer)
      .map(project => appOf(project, { name: project.slug, settings: {}, common: {} })),
    broken: new Map(projects.flatMap(({ slug, wrong }) => (wrong ? [[slug, wrong] as const] : []))),
    shown: projects.filter(project => !hasServer(project)),
  }
}

export interface ExpandedNotebooks extends FoundNotebooks {
  readonly problems: readonly Problem[]
}

/**
 * The same apps with one for each project that a pattern names, and with what nb.yaml says where the deploy file says
 * nothing. A project belongs to the first that names it, and to a plain folder before any pattern.
 */
export function expandNotebooks(
  apps: readonly ReadApp[],
  projects: readonly FoundProject[],
): ExpandedNotebooks {
  const named = new Set(apps.flatMap(app => (isPattern(app) ? [] : [pathOf(app)])))
  const names = new Set(apps.filter(app => !isPattern(app)).map(({ name }) => name))
  const problems: Problem[] = []
  const broken = new Map<string, readonly Problem[]>()
  const shown: FoundProject[] = []
  const expanded = apps.flatMap((app): ReadApp[] => {
    if (app.target !== TARGET) {
      return [app]
    }
    const path = pathOf(app)
    const fits = isPattern(app) ? matcher(path) : (folder: string) => folder === path
    if (!isPattern(app)) {
      const project = projects.find(({ folder }) => fits(folder))
      if (project?.wrong) {
        broken.set(app.name, project.wrong)
        return []
      }
      return [appOf(project, app)]
    }
    const found = projects.filter(({ folder }) => fits(folder) && !named.has(folder))
    if (found.length === 0) {
      problems.push(problemOf(app, `matches no notebook project: ${JSON.stringify(path)}`))
    }
    for (const project of found.filter(each => !isServed(each))) {
      named.add(project.folder)
      shown.push(project)
      if (project.wrong) {
        broken.set(project.slug, project.wrong)
      }
    }
    return found.filter(isServed).flatMap(project => {
      named.add(project.folder)
      if (names.has(project.slug)) {
        problems.push(
          problemOf(app, `finds "${project.slug}" in ${project.folder}, and another app has this name`),
        )
        return []
      }
      names.add(project.slug)
      return [appOf(project, { ...app, name: project.slug })]
    })
  })
  return { apps: expanded, broken, shown, problems }
}

/** Who wants a preview only needs no server, and whose wishes cannot be read gets none. */
function isServed({ settings, wrong }: FoundProject): boolean {
  return settings.mode !== 'static' && wrong === undefined
}

function isPattern(app: ReadApp): boolean {
  return app.target === TARGET && !isPlain(pathOf(app))
}

function pathOf({ settings }: ReadApp): string {
  const { path, folder = path } = settings as { path?: string; folder?: string }
  return (folder ?? '').replace(/^\.\/(?=.)|\/+$/g, '') || '.'
}

function matcher(pattern: string): (folder: string) => boolean {
  const glob = compileGlob(pattern)
  return folder => glob?.matches(folder) === true
}

function problemOf({ name }: ReadApp, message: string): Problem {
  const expected =
    'a folder, or a pattern such as notebooks/*; "slug:" in nb.yaml gives a project another name'
  return { path: `apps.${name}.path`, message, expected }
}

/** What a deploy file says wins; its URL.md is counted from the project's folder. */
function appOf(
  project: FoundProject | undefined,
  { name, settings, common }: Pick<ReadApp, 'name' | 'settings' | 'common'>,
): ReadApp {
  const { path: _, ...written } = settings
  if (!project) {
    return { name, target: TARGET, settings, common }
  }
  const found = targetSettingsOf(project)
  const { folder } = project
  const environment = { ...found.environment, ...(written.environment as object | undefined) }
  const own = {
    ...found,
    ...written,
    folder,
    ...(Object.keys(environment).length > 0 ? { environment } : {}),
  }
  const fingerprint = fingerprintOf(project, own)
  return {
    name,
    target: TARGET,
    settings: own,
    common:
      common.url_file === undefined ? common : { ...common, url_file: posix.join(folder, common.url_file) },
    files: {
      ...{ kind: 'notebook', name, paths: [folder], uses: [] },
      ...(fingerprint === undefined ? {} : { fingerprint }),
      content: project.contentHash,
    },
  }
}
