import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import { canonicalJson } from '#lib/canonical-json.ts'
import { check } from '#lib/check.ts'
import type { AppTable } from '#manager/store/tables.ts'
import { OWN_TARGETS } from '#targets/index.ts'
import type { AppEntry } from './app-entry.ts'
import { SETTINGS_INVALID } from './errors.ts'

type OwnEntry = Pick<AppEntry, 'target' | 'settings' | 'source'>

/**
 * How an app of one of our own targets is to run; undefined for every other app. It has no commits: the hash of its
 * settings stands for one, so that the same settings are known again.
 */
export function ownEntry(
  app: Pick<Selectable<AppTable>, 'name' | 'target' | 'overrides' | 'repository_id' | 'stack'>,
): OwnEntry | undefined {
  const target = OWN_TARGETS.find(each => each.name === app.target)
  if (!target || app.repository_id !== null || app.stack !== null) {
    return undefined
  }
  const {
    deadlines: _,
    drift: __,
    watch: ___,
    ...given
  } = JSON.parse(app.overrides) as Record<string, unknown>
  const settings = check(
    target.settings,
    given,
    `the app "${app.name}"`,
    SETTINGS_INVALID,
  ) as OwnEntry['settings']
  const commit = createHash('sha256').update(canonicalJson(settings)).digest('hex').slice(0, 40)
  const source = {
    commit,
    subject: 'settings of the app',
    author: '',
    branch: '',
    repository: '',
    texts: {},
    paths: [],
  }
  return { target, settings, source }
}
