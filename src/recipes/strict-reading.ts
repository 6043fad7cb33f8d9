import type { TomlTable } from '#formats/toml.ts'
import {
  type Mapping,
  pythonOfEnvironment,
  pythonOfPipfile,
  readEnvironmentFile,
  readJsonFile,
  readTomlFile,
} from './config-texts.ts'
import { Refusal } from './diagnostic.ts'
import { once } from './once.ts'
import type { ProjectFolder } from './project-folder.ts'
import { type Runtime, readRuntime } from './runtime-text.ts'

export type BinderDir = '' | 'binder' | '.binder'

/** What the rules ask of a folder; each file is read when the first rule needs it, so that the same one fails first. */
export interface StrictReading {
  readonly folder: ProjectFolder
  readonly binderDir: BinderDir
  readonly place: (name: string) => string
  readonly has: (name: string) => boolean
  readonly runtime: () => Runtime | undefined
  readonly pyproject: () => TomlTable | undefined
  readonly environment: () => Mapping
  readonly environmentPath: string | undefined
  /** The version that an environment.yml or a Pipfile asks for. */
  readonly python: (pack: 'Conda' | 'Pipfile') => string | undefined
}

export function createReading(folder: ProjectFolder): StrictReading {
  refuseLegacy(folder)
  const binderDir = binderDirOf(folder)
  const place = (name: string) => (binderDir === '' ? name : `${binderDir}/${name}`)
  const has = (name: string) => folder.has(place(name))
  const text = (name: string) => folder.text(place(name)) ?? ''
  const environmentPath = ['environment.yml', 'environment.yaml'].filter(has).map(place)[0]
  return {
    folder,
    binderDir,
    place,
    has,
    environmentPath,
    runtime: () => (has('runtime.txt') ? readRuntime(text('runtime.txt'), place('runtime.txt')) : undefined),
    pyproject: once(() =>
      folder.has('pyproject.toml')
        ? readTomlFile(folder.text('pyproject.toml') ?? '', 'pyproject.toml', 'PYPROJECT')
        : undefined,
    ),
    environment: once(() =>
      environmentPath === undefined
        ? {}
        : readEnvironmentFile(folder.text(environmentPath) ?? '', environmentPath),
    ),
    python(pack) {
      if (pack === 'Conda') {
        return pythonOfEnvironment(this.environment())
      }
      const [lock, pipfile] = ['Pipfile.lock', 'Pipfile']
      return pythonOfPipfile(
        has(lock) ? readJsonFile(text(lock), place(lock), 'PIPFILE') : undefined,
        has(pipfile) ? readTomlFile(text(pipfile), place(pipfile), 'PIPFILE') : undefined,
      )
    },
  }
}

function refuseLegacy(folder: ProjectFolder): void {
  const from = (folder.text('Dockerfile') ?? '').split('\n').find(line => line.startsWith('FROM'))
  if (from?.split('#')[0]?.toLowerCase().includes('andrewosh/binder-base')) {
    throw new Refusal({
      code: 'LEGACY',
      file: 'Dockerfile',
      message: 'It builds on andrewosh/binder-base, which is gone.',
      hint: 'Remove the Dockerfile and list the packages in environment.yml or requirements.txt.',
    })
  }
}

/** The folder with the configuration; both at once are refused. */
export function binderDirOf(folder: ProjectFolder): BinderDir {
  const [first = '', second] = (['.binder', 'binder'] as const).filter(folder.hasFolder)
  if (second !== undefined) {
    throw new Refusal({
      code: 'BINDER_BOTH',
      file: second,
      message: 'There is both a folder binder and a folder .binder.',
      hint: 'Remove one of them.',
    })
  }
  return first
}

/** Whether the folder itself is a package that is installed. */
export function isPackage({ binderDir, folder, pyproject }: StrictReading): boolean {
  if (binderDir !== '') {
    return false
  }
  const toml = folder.has('setup.py') ? undefined : pyproject()
  return folder.has('setup.py') || (toml !== undefined && 'project' in toml && 'build-system' in toml)
}
