import type { Selectable } from 'kysely'
import type { EngineWish } from '#contract/engine.ts'
import type { AppFiles } from '#deploy-file/convention.ts'
import { EveryAppOverrides } from '#deploy-file/every-app.ts'
import { type Schedule, scheduleFrom } from '#deploy-file/schedule.ts'
import { check } from '#lib/check.ts'
import { pathOf, type SecretFile } from '#manager/secrets/encrypted-files.ts'
import type { AppTable } from '#manager/store/tables.ts'
import { targetNamed } from '#targets/index.ts'
import { filesOf, type Target } from '#targets/target.ts'
import { type Deadlines, readDeadlines } from './deadlines.ts'
import { type DescribedApps, notDescribed } from './described-apps.ts'
import { SETTINGS_INVALID } from './errors.ts'
import type { Ask, Source } from './source.ts'

export interface AppEntry {
  readonly target: Target
  readonly settings: Readonly<Record<string, unknown>>
  readonly source: Source
  /** Its own limits, in ms. */
  readonly deadlines: Deadlines
  /** Only pushes that change one of these are for the app; undefined: all are. */
  readonly watch: readonly string[] | undefined
  /** The deploy file's wish; the app's own setting asks for it whatever the file says. */
  readonly approval: 'required' | undefined
  /** What its deploy file wants done about drift. */
  readonly onDrift: 'report' | 'repair'
  /** The file that says in the repository where the app is to be found; and those of all its apps. */
  readonly urlFile: string | undefined
  readonly urlFiles: readonly string[]
  /** Which engine of its host it wants; undefined: the host's own. */
  readonly engine: EngineWish | undefined
  /** When it is deployed by itself. */
  readonly schedule: Schedule | undefined
  /** Encrypted files with secrets of it. */
  readonly secretFiles: readonly SecretFile[]
  /** The files that describe it, when their names do. */
  readonly files: AppFiles | undefined
}

/** A change of these may be one of the app's settings. */
const DEPLOY_FILES = ['fairlead.yaml', 'fairlead.yml', '.fairlead']

/** The target and settings of one app at this commit: the deploy file's, under the overrides set with the app. */
export async function readEntry(
  ask: Ask,
  app: Selectable<AppTable>,
  described: DescribedApps,
): Promise<AppEntry> {
  const { source, apps } = described
  const entry = apps.find(candidate => candidate.name === app.entry)
  const target = entry && targetNamed(entry.target)
  if (!entry || !target) {
    throw notDescribed(described, app.entry)
  }
  const what = `the app "${app.name}"`
  const {
    deadlines: overridden,
    drift,
    engine: placed,
    watch: watched,
    ...overrides
  } = JSON.parse(app.overrides) as Overrides
  const settings = check(
    target.settings,
    { ...entry.settings, ...overrides },
    what,
    SETTINGS_INVALID,
  ) as Readonly<Record<string, unknown>>
  const wanted = watched ?? entry.common.watch
  const wish = placed ?? entry.common.engine
  const common = check(
    EveryAppOverrides,
    {
      deadlines: { ...entry.common.deadlines, ...overridden },
      ...(wanted && { watch: wanted }),
      ...(drift === undefined ? {} : { drift }),
      ...(wish === undefined ? {} : { engine: wish }),
    },
    what,
    SETTINGS_INVALID,
  )
  const deadlines = readDeadlines(common.deadlines)
  const { approval, drift: onDrift = 'report', url_file: urlFile } = entry.common
  const urlFiles = [...new Set(apps.flatMap(each => each.common.url_file ?? []))]
  const { schedule: written, secret_files: secretFiles = [] } = entry.common
  const named = [...target.reads(settings), ...secretFiles.map(pathOf)]
  const watch = common.watch && [...common.watch, ...DEPLOY_FILES, ...named]
  const schedule = written && scheduleFrom(written)
  const { files } = entry
  const { engine } = common
  const found = {
    files,
    schedule,
    engine,
    target,
    settings,
    deadlines,
    watch,
    approval,
    onDrift,
    urlFile,
    urlFiles,
    secretFiles,
  }
  const missing = target.reads(settings).filter(path => !(path in source.texts))
  if (missing.length === 0) {
    return { ...found, source }
  }
  const more = await ask({
    key: 'texts',
    command: 'repository.read',
    data: { ...filesOf(source), paths: missing },
  })
  const texts = { ...source.texts, ...(more.texts as object) }
  return { ...found, source: { ...source, texts } }
}

interface Overrides extends Readonly<Record<string, unknown>> {
  readonly deadlines?: Readonly<Record<string, unknown>>
  readonly drift?: unknown
  readonly engine?: unknown
  readonly watch?: readonly string[]
}
