import { tableIn, textIn } from '#formats/toml.ts'
import { isMapping, pythonOfEnvironment, pythonOfPipfile, requiredPython } from './config-texts.ts'
import type { ConfigTexts } from './detect.ts'
import { type Diagnostic, Refusal } from './diagnostic.ts'
import { JULIAS, PYTHONS, R_DEFAULT, wholeRVersion } from './known-versions.ts'
import type { Language, Pack } from './packs.ts'
import { fits, noPython, noR, refuseOldSnapshot, strictJulia } from './strict-versions.ts'
import { fitsJuliaRange } from './version-range.ts'

export interface Versions {
  /** Versions of Python that will do, the best first. */
  readonly pythons: readonly string[]
  /** A file or a person asked for the version. */
  readonly isPythonAsked: boolean
  readonly r?: { readonly version: string; readonly isAsked: boolean; readonly date?: string }
  /** Exact: the Manifest names the version, else another one that fits the condition does too. */
  readonly julia?: { readonly version: string; readonly condition: string; readonly isExact: boolean }
  readonly warnings: readonly Diagnostic[]
}

/** Where nothing is asked for. */
const DEFAULT_PYTHON = '3.12'
const SUPPORTED = PYTHONS.filter(version => version !== '3.8')

export function detectVersions(texts: ConfigTexts, pack: Pack, language: Language): Versions {
  const python = pack === 'docker' ? { pythons: [], isPythonAsked: false } : pythonOf(texts, pack)
  const warnings: Diagnostic[] = []
  const r = language === 'r' ? rOf(texts, pack, warnings) : undefined
  const julia = pack === 'julia' ? juliaOf(texts, warnings) : undefined
  return { ...python, ...(r ? { r } : {}), ...(julia ? { julia } : {}), warnings }
}

function pythonOf(texts: ConfigTexts, pack: Pack): Pick<Versions, 'pythons' | 'isPythonAsked'> {
  const range = pack === 'uv' || pack === 'pip' || pack === 'none' ? rangeOf(texts) : undefined
  const asked = askedPython(texts, pack)
  if (asked !== undefined) {
    refuseOld(asked.version, asked.file)
    if (range !== undefined && !fits(range, asked.version)) {
      throw new Refusal({
        code: 'PY_CONFLICT',
        file: asked.file,
        message: `It asks for Python ${asked.version}, pyproject.toml for ${range.slice(0, 60)}.`,
        hint: 'Make them agree.',
      })
    }
    return { pythons: [asked.version], isPythonAsked: true }
  }
  const newestFirst = [DEFAULT_PYTHON, ...SUPPORTED.filter(each => each !== DEFAULT_PYTHON).reverse()]
  const pythons = newestFirst.filter(version => range === undefined || fits(range, version))
  if (pythons.length === 0) {
    throw noPython(range ?? '')
  }
  return { pythons, isPythonAsked: range !== undefined }
}

function refuseOld(version: string, file: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major !== 3 || minor < 9) {
    throw new Refusal({
      code: 'PY_UNSUPPORTED',
      file,
      message: `Python ${version.slice(0, 20)} is not supported.`,
      hint: `Ask for one of ${SUPPORTED.join(', ')}.`,
    })
  }
}

interface Asked {
  readonly version: string
  readonly file: string
}

/** What installs the packages is asked before what only names a version. */
function askedPython(
  { config, runtime, settings, environment, json, toml }: ConfigTexts,
  pack: Pack,
): Asked | undefined {
  const pinned = (): [string, string | undefined] | undefined => {
    if (pack === 'conda') {
      return ['environment.yml', pythonOfEnvironment(environment())]
    }
    const [lock, pipfile] = ['Pipfile.lock', 'Pipfile'] as const
    return pack === 'pipfile'
      ? [pipfile, pythonOfPipfile(json(lock, 'PIPFILE'), toml(pipfile, 'PIPFILE'))]
      : undefined
  }
  const sources = [
    ['nb.yaml', settings.env?.python],
    pinned(),
    ['runtime.txt', runtime?.name === 'python' ? runtime.version : undefined],
    ['.python-version', /^[ \t]*(\d+\.\d+(?:\.\d+)?)[ \t]*\r?$/m.exec(config.text('.python-version'))?.[1]],
  ]
  for (const source of sources) {
    const [file = '', version] = source ?? []
    const parts = version?.split('.') ?? []
    // One part alone says no more than the default does, unless it is Python 2.
    if (version !== undefined && (parts.length > 1 || parts[0] === '2')) {
      return { version: parts.slice(0, 2).join('.'), file }
    }
  }
  return undefined
}

function rangeOf({ pyproject, toml }: ConfigTexts): string | undefined {
  const lock = toml('uv.lock', 'UV_LOCK')
  return (lock && textIn(lock, 'requires-python')) ?? requiredPython(pyproject())
}

function rOf(
  { config, runtime, json }: ConfigTexts,
  pack: Pack,
  warnings: Diagnostic[],
): NonNullable<Versions['r']> {
  const lock = json('renv.lock', 'RENV')
  const locked = lock && isMapping(lock.R) && typeof lock.R.Version === 'string' ? lock.R.Version : undefined
  const asked = runtime?.name === 'r' ? (runtime.version ?? locked) : locked
  const version = asked === undefined ? R_DEFAULT : wholeRVersion(asked)
  if (version === undefined) {
    throw noR(asked ?? '')
  }
  const date = runtime?.name === 'r' ? runtime.date : undefined
  if (date !== undefined) {
    refuseOldSnapshot(date)
  } else if (pack === 'r' && !config.has('renv.lock')) {
    warnings.push({
      code: 'R_NO_DATE',
      file: config.place('runtime.txt'),
      message: 'No day is named whose R packages are installed.',
      hint: `Write runtime.txt with "r-${version.split('.').slice(0, 2).join('.')}-" and a day, like r-4.4-2026-01-31.`,
    })
  }
  return { version, isAsked: asked !== undefined, ...(date === undefined ? {} : { date }) }
}

function juliaOf({ config, toml }: ConfigTexts, warnings: Diagnostic[]): NonNullable<Versions['julia']> {
  const file = config.has('JuliaProject.toml') ? 'JuliaProject.toml' : 'Project.toml'
  const project = toml(file, 'JULIA_PROJECT') ?? {}
  const written = textIn(tableIn(project, 'compat'), 'julia')
  const conditions = (written ?? '1.6').split(',').map(each => each.trim())
  const manifest = toml(manifestOf(config.has), 'JULIA_MANIFEST')
  const exact = manifest && textIn(manifest, 'julia_version')
  if (manifest === undefined) {
    warnings.push({
      code: 'NO_MANIFEST',
      file: config.place(file),
      message: 'There is no Manifest.toml: which versions are installed is decided when the image is built.',
      hint: 'Commit the Manifest.toml that Julia wrote.',
    })
  }
  const condition = conditions.join(',')
  if (exact !== undefined && /^\d+\.\d+\.\d+$/.test(exact)) {
    return { version: exact, condition, isExact: true }
  }
  const known = JULIAS.filter(version => conditions.some(each => fitsJuliaRange(each, version)))
  return {
    version: known.at(-1) ?? strictJulia(condition, config.place(file), JULIAS),
    condition,
    isExact: false,
  }
}

/** The name of the file with the exact versions: beside a JuliaProject.toml it may be called after it. */
export function manifestOf(has: (name: string) => boolean): string {
  return has('JuliaManifest.toml') && has('JuliaProject.toml') ? 'JuliaManifest.toml' : 'Manifest.toml'
}
