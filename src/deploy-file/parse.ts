import { problemsOf } from '#lib/check.ts'
import type { Problem } from '#lib/errors.ts'
import type { Target } from '#targets/target.ts'
import type { AppFiles } from './convention.ts'
import type { EveryAppSettings } from './every-app.ts'
import { ruleOf } from './expectation.ts'
import { explain, type Finding } from './explain.ts'
import { scheduleFault, type WrittenSchedule } from './schedule.ts'
import { appSchema, COMMON_KEYS, deployFileSchema } from './schema.ts'
import { type Path, readYaml, type YamlText } from './yaml-text.ts'

/** One app as a repository describes it. */
export interface ReadApp {
  readonly name: string
  /** Name of its target. */
  readonly target: string
  /** Fits the target's settings schema. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What every app may say, whatever its target. */
  readonly common: EveryAppSettings
  /** What it is made from, when the names of files describe it and no deploy file does. */
  readonly files?: AppFiles
}

export interface ParsedDeployFile {
  /** Empty when there are problems. */
  readonly apps: readonly ReadApp[]
  /** In the order of the file, each with its line. */
  readonly problems: readonly Problem[]
}

/** More would hide the first ones. */
const MAX_PROBLEMS = 100

/** Reads the text of a deploy file. All that is wrong with it comes back at once; nothing is thrown. */
export function parseDeployFile(text: string, file: string, targets: readonly Target[]): ParsedDeployFile {
  const yaml = readYaml(text)
  const problems = yaml.problems.length > 0 ? yaml.problems : contentProblems(yaml, targets)
  if (problems.length > 0) {
    const sorted = [...problems].sort(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    )
    return { apps: [], problems: sorted.slice(0, MAX_PROBLEMS).map(problem => ({ ...problem, file })) }
  }
  const { apps } = yaml.value as WrittenFile
  return { apps: Object.entries(apps).map(([name, app]) => readApp(name, app, targets)), problems: [] }
}

function contentProblems(yaml: YamlText, targets: readonly Target[]): Problem[] {
  const findings = explain(ruleOf(deployFileSchema(targets)), yaml.value)
  if (findings.length > 0) {
    return findings.slice(0, MAX_PROBLEMS).map(finding => problemOf(yaml, finding))
  }
  // What the explanation has no words for (formats, unique items) is still refused, in the validator's words.
  const { apps } = yaml.value as WrittenFile
  return Object.entries(apps).flatMap(([name, app]) => {
    const target = targets.find(candidate => candidate.name === app.target)
    const refused = target ? refusedByValidator(yaml, target, { name, app }) : []
    return [...refused, ...scheduleProblems(yaml, name, app)]
  })
}

/** What no schema can tell: whether there is such a time. */
function scheduleProblems(yaml: YamlText, name: string, { schedule }: WrittenApp): Problem[] {
  const fault = schedule && scheduleFault(schedule)
  if (!fault) {
    return []
  }
  const { key, message, expected } = fault
  return [problemOf(yaml, { path: ['apps', name, 'schedule', key], at: 'value', message, expected })]
}

function refusedByValidator(
  yaml: YamlText,
  target: Target,
  { name, app }: { readonly name: string; readonly app: WrittenApp },
): Problem[] {
  const problems = problemsOf(appSchema(target), app)
  // A place that is refused has also "schema is false" from the keys that are open no more.
  const telling = problems.filter(({ message }) => message !== 'schema is false')
  return (telling.length > 0 ? telling : problems).map(problem => {
    const path = ['apps', name, ...problem.path.split('.')]
    return { ...problem, path: dotted(path), ...yaml.placeOf(path, 'value') }
  })
}

function problemOf(yaml: YamlText, { path, at, message, expected }: Finding): Problem {
  return { path: dotted(path), message, expected, ...yaml.placeOf(path, at) }
}

function dotted(path: Path): string {
  return path.join('.')
}

interface WrittenFile {
  readonly apps: Readonly<Record<string, WrittenApp>>
}

type WrittenApp = { readonly target: string; readonly schedule?: WrittenSchedule } & Readonly<
  Record<string, unknown>
>

function readApp(name: string, written: WrittenApp, targets: readonly Target[]): ReadApp {
  const { target } = written
  const known = targets.find(candidate => candidate.name === target)?.settings.properties ?? {}
  const isCommon = ([key]: [string, unknown]) => key !== 'target' && COMMON_KEYS.includes(key)
  const settings = Object.entries(written).filter(
    ([key]) => Object.hasOwn(known, key) && !COMMON_KEYS.includes(key),
  )
  const common = Object.fromEntries(Object.entries(written).filter(isCommon)) as EveryAppSettings
  return { name, target, settings: Object.fromEntries(settings), common }
}
