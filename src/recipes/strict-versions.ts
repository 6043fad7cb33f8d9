import { requiredPython } from './config-texts.ts'
import { Refusal } from './diagnostic.ts'
import { PYTHONS, R_DEFAULT, wholeRVersion } from './known-versions.ts'
import type { Runtime } from './runtime-text.ts'
import type { StrictPack } from './strict.ts'
import type { StrictReading } from './strict-reading.ts'
import { fitsJuliaRange, fitsPythonRange } from './version-range.ts'

const DEFAULT_PYTHON = '3.10'
/** What repo2docker takes for a version of one part. */
const MAJORS: Readonly<Record<string, string>> = { '2': '2.7', '3': DEFAULT_PYTHON }
const OLD_PYTHONS = ['2.7', '3.5', '3.6', '3.7']
/** The day of the first snapshot that is still served. */
const FIRST_SNAPSHOT = '2018-12-07'

export function strictPython(reading: StrictReading, pack: StrictPack): string {
  return pack === 'Conda' || pack === 'Pipfile'
    ? twoParts(reading.python(pack) ?? DEFAULT_PYTHON)
    : runtimePython(reading)
}

export function refuseUnknownPython(version: string): void {
  if (!PYTHONS.includes(version) && !OLD_PYTHONS.includes(version)) {
    throw new Refusal({
      code: 'PY_UNSUPPORTED',
      message: `There is no Python ${version.slice(0, 20)}.`,
      hint: `Ask for one of ${PYTHONS.join(', ')}.`,
    })
  }
}

function runtimePython({ binderDir, runtime, pyproject }: StrictReading): string {
  const asked = runtime()
  if (asked !== undefined && asked.name !== 'python') {
    return DEFAULT_PYTHON
  }
  const version = asked?.version === undefined ? DEFAULT_PYTHON : asPython(asked.version)
  const range = binderDir === '' ? requiredPython(pyproject()) : undefined
  if (range === undefined || fits(range, version)) {
    return version
  }
  if (asked?.version?.includes('.')) {
    throw new Refusal({
      code: 'PY_CONFLICT',
      file: 'runtime.txt',
      message: `runtime.txt asks for Python ${version}, pyproject.toml for ${range.slice(0, 60)}.`,
      hint: 'Make them agree, or remove runtime.txt.',
    })
  }
  const newest = PYTHONS.findLast(each => fits(range, each))
  if (newest === undefined) {
    throw noPython(range)
  }
  return newest
}

export function noPython(range: string): Refusal {
  return new Refusal({
    code: 'PY_NONE',
    file: 'pyproject.toml',
    message: `No version of Python fits "${range.slice(0, 60)}".`,
    hint: `Allow one of ${PYTHONS.join(', ')} in requires-python.`,
  })
}

/** Whether a version fits requires-python; what cannot be read is refused. */
export function fits(range: string, version: string): boolean {
  const answer = fitsPythonRange(range, version)
  if (answer === undefined) {
    throw new Refusal({
      code: 'PY_RANGE',
      file: 'pyproject.toml',
      message: `requires-python "${range.slice(0, 60)}" is no list of versions.`,
      hint: 'Write it like ">=3.10,<3.14".',
    })
  }
  return answer
}

/** A version of one part is completed, one of two stays; runtime.txt is taken at its word. */
function asPython(version: string): string {
  return version.includes('.') ? version : (MAJORS[version] ?? version)
}

function twoParts(version: string): string {
  const [major = '', minor] = version.split('.')
  return minor === undefined ? (MAJORS[major] ?? major) : `${major}.${minor}`
}

export function strictR(runtime: Runtime | undefined): { rVersion: string; rDate: string } {
  const rDate = runtime?.name === 'r' && runtime.date !== undefined ? runtime.date : 'today-2'
  const asked = runtime?.version
  const rVersion = asked === undefined ? R_DEFAULT : wholeRVersion(asked)
  if (rVersion === undefined) {
    throw noR(asked ?? '')
  }
  refuseOldSnapshot(rDate)
  return { rVersion, rDate }
}

export function noR(version: string): Refusal {
  return new Refusal({
    code: 'R_VERSION',
    file: 'runtime.txt',
    line: 1,
    message: `There is no R ${version.slice(0, 20)}.`,
    hint: 'Ask for 4.4, or for a version of three parts like 4.3.2.',
  })
}

/** Refuses a day of which no R packages are kept any more; words come after every date. */
export function refuseOldSnapshot(date: string): void {
  if (date < FIRST_SNAPSHOT) {
    throw new Refusal({
      code: 'R_SNAPSHOT',
      file: 'runtime.txt',
      line: 1,
      message: `There is no snapshot of R packages of ${date}.`,
      hint: `Ask for a day from ${FIRST_SNAPSHOT} on.`,
    })
  }
}

/** The newest Julia that fits; a list of conditions and a range with a hyphen are not understood, as in repo2docker. */
export function strictJulia(condition: string, file: string, known: readonly string[]): string {
  const newest = known.findLast(version => fitsJuliaRange(condition, version))
  if (newest === undefined) {
    throw new Refusal({
      code: 'JULIA_VERSION',
      file,
      message: `No Julia fits "${condition.slice(0, 60)}".`,
      hint: `Allow one of ${known.join(', ')} in [compat].`,
    })
  }
  return newest
}
