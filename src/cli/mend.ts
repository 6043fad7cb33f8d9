import type { AppDocument } from '#contract/rest/apps.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Checked } from './checked.ts'
import { readList } from './page.ts'
import type { Session } from './session.ts'

export interface Mended {
  readonly where: string
  /** What was done. */
  readonly what: string
  /** Why that failed; null: it did not. */
  readonly problem: string | null
}

interface Mending {
  readonly what: string
  /** Why it did not help; null: it did. */
  readonly act: () => Promise<string | null>
}

/** The longest that one app is waited for. */
const WAIT_SECONDS = 120

/**
 * Does what is safe about what was found, one after the other: deletes on a full disk what nothing needs, and brings
 * back the release that an app has where it was stopped, removed or changed by hand. Everything else is for a person.
 */
export async function mend(session: Session, checks: readonly Checked[]): Promise<readonly Mended[]> {
  const { client } = session
  const wrong = checks.filter(check => check.mend !== null)
  const apps = await readList<AppDocument>(client, '/apps', Number.POSITIVE_INFINITY)
  const { items: hosts } = await client.get<{ items: HostDocument[] }>('/hosts')
  const done: Mended[] = []
  const seen = new Set<string>()
  for (const { where, name } of wrong) {
    const mending =
      ['disk', 'engine disk'].includes(name) &&
      hosts.some(host => host.name === where && host.role === 'worker')
        ? pruning(session, where)
        : bringingBack(
            session,
            apps.find(app => app.name === where),
            name,
          )
    if (mending && !seen.has(`${where} ${mending.what}`)) {
      seen.add(`${where} ${mending.what}`)
      done.push({ where, what: mending.what, problem: await problemOf(mending) })
    }
  }
  return done
}

function pruning({ client }: Session, host: string): Mending {
  const path = `/hosts/${encodeURIComponent(host)}/prune`
  return {
    what: 'deleted what nothing needs',
    act: async () => {
      await client.send('POST', path, { dry_run: false, all_unused: false })
      return null
    },
  }
}

/** Undefined where that would be a decision: a paused app, one without a release, or one at work. */
function bringingBack({ client }: Session, app: AppDocument | undefined, what: string): Mending | undefined {
  if (!app?.release || app.paused || !['runs', 'drift'].includes(what)) {
    return undefined
  }
  const body = { release: app.release.id, wait_seconds: WAIT_SECONDS }
  return {
    what: `brought back release ${app.release.id}`,
    act: async () => {
      const path = `/apps/${encodeURIComponent(app.name)}/deploy`
      const { state } = await client.send<{ state: string }>('POST', path, body)
      return state === 'succeeded' ? null : `the deployment is ${state}`
    },
  }
}

async function problemOf({ act }: Mending): Promise<string | null> {
  try {
    return await act()
  } catch (error) {
    return asFairleadError(error).message
  }
}
