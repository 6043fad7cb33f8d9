import type { Detected } from './detect.ts'
import { Refusal } from './diagnostic.ts'
import { fitsJuliaRange } from './version-range.ts'

/** An image that recipes build on, and what it brings. */
export interface RecipeBase {
  readonly name: string
  /** With a digest: name@sha256:… */
  readonly reference: string
  /** Versions of Python whose environment is ready. */
  readonly pythons: readonly string[]
  readonly r?: string
  readonly julia?: string
  /** `uv`, `micromamba`. */
  readonly tools: readonly string[]
}

export interface ChosenBase {
  readonly base: RecipeBase
  readonly versions: { readonly python?: string; readonly r?: string; readonly julia?: string }
}

const PINNED = /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/
const TOOLS: Readonly<Record<string, string>> = { uv: 'uv', conda: 'micromamba' }

/** The first base image that has what the project asks for; a version that nobody asked for may be the base's own. */
export function chooseBase(
  detected: Detected,
  bases: readonly RecipeBase[],
  asked: string | undefined,
): ChosenBase {
  const named = asked === undefined ? bases : bases.filter(({ name }) => name === asked)
  const unpinned = named.find(({ reference }) => !PINNED.test(reference))
  if (unpinned) {
    throw refused(
      'BASE_NOT_PINNED',
      `The base image "${unpinned.name}" has no digest.`,
      'Name it as name@sha256:….',
    )
  }
  if (named.length === 0) {
    const known = bases.map(({ name }) => name).join(', ') || 'none'
    throw refused('BASE_UNKNOWN', `There is no base image "${asked ?? ''}".`, `These are set up: ${known}.`)
  }
  const candidates = named.filter(base => hasTools(detected, base))
  if (candidates.length === 0) {
    const tool = TOOLS[detected.pack] ?? detected.language
    throw refused('BASE_LACKS', `No base image has ${tool}.`, 'Have the administrator add one that has.')
  }
  // What conda installs it brings with it, whatever Python the base has.
  if (detected.pack === 'conda') {
    return { base: candidates[0] as RecipeBase, versions: versionOf('python', detected.pythons[0]) }
  }
  const language = { ...versionsOfR(detected, candidates), ...versionsOfJulia(detected, candidates) }
  const fitting = candidates.filter(base => fitsLanguage(detected, base))
  for (const python of detected.pythons) {
    const base = fitting.find(({ pythons }) => pythons.includes(python))
    if (base) {
      const { r, julia } = base
      return {
        base,
        versions: {
          python,
          ...(language.r === undefined ? {} : versionOf('r', r)),
          ...(language.julia === undefined ? {} : versionOf('julia', julia)),
        },
      }
    }
  }
  throw refused(
    'PY_UNAVAILABLE',
    `No base image has Python ${detected.pythons.join(' or ')}${detected.language === 'python' ? '' : ` and ${detected.language}`}.`,
    `There is ${[...new Set(fitting.flatMap(({ name, pythons }) => pythons.map(each => `${each} (${name})`)))].join(', ') || 'none'}.`,
  )
}

function refused(code: string, message: string, hint: string): Refusal {
  return new Refusal({ code, message, hint })
}

function versionOf(key: 'python' | 'r' | 'julia', version: string | undefined): ChosenBase['versions'] {
  return version === undefined ? {} : { [key]: version }
}

function hasTools({ pack, language }: Detected, { tools, r, julia }: RecipeBase): boolean {
  const tool = TOOLS[pack]
  return (
    (tool === undefined || tools.includes(tool)) &&
    (language !== 'r' || r !== undefined) &&
    (language !== 'julia' || julia !== undefined)
  )
}

function versionsOfR({ r }: Detected, candidates: readonly RecipeBase[]): { readonly r?: string } {
  if (r?.isAsked && !candidates.some(base => isSameMinor(base.r, r.version))) {
    throw refused(
      'R_UNAVAILABLE',
      `No base image has R ${r.version}.`,
      `There is ${candidates.map(base => `${base.r} (${base.name})`).join(', ')}.`,
    )
  }
  return r ? { r: r.version } : {}
}

function versionsOfJulia(
  { julia }: Detected,
  candidates: readonly RecipeBase[],
): { readonly julia?: string } {
  if (julia && !candidates.some(base => fitsJulia(base, julia))) {
    throw refused(
      'JULIA_UNAVAILABLE',
      `No base image has Julia ${julia.version}.`,
      `There is ${candidates.map(base => `${base.julia} (${base.name})`).join(', ')}.`,
    )
  }
  return julia ? { julia: julia.version } : {}
}

function fitsLanguage({ r, julia }: Detected, base: RecipeBase): boolean {
  return (!r?.isAsked || isSameMinor(base.r, r.version)) && (!julia || fitsJulia(base, julia))
}

function fitsJulia(base: RecipeBase, julia: NonNullable<Detected['julia']>): boolean {
  return julia.isExact
    ? isSameMinor(base.julia, julia.version)
    : julia.condition.split(',').some(each => fitsJuliaRange(each, base.julia ?? ''))
}

function isSameMinor(have: string | undefined, want: string): boolean {
  return have?.split('.').slice(0, 2).join('.') === want.split('.').slice(0, 2).join('.')
}
