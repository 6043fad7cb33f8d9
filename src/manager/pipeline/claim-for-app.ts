import { claimDomains } from '#manager/apps/domains.ts'
import type { StepContext } from './step.ts'

/**
 * Takes the domains that the app is to have, and notes its target: taking it down and reading its logs need to know
 * how it runs, without a checkout. Likewise what is to be done about drift, which file says where it is to be found, and
 * when it is deployed by itself: from now on, not for a time that is past.
 */
export async function claimForApp({ parts, app, facts }: StepContext): Promise<void> {
  await claimDomains(parts.db, app.id, facts.domains ?? [])
  const { target, settings, onDrift = app.on_drift, urlFile = null } = facts
  const schedule = facts.schedule ? JSON.stringify(facts.schedule) : null
  const usesTags = target?.usesTags?.(settings as never) ? 1 : 0
  const known = {
    ...{ target: target?.name ?? app.target, on_drift: onDrift, url_file: urlFile, schedule },
    uses_tags: usesTags,
  }
  const isSame =
    known.target === app.target &&
    onDrift === app.on_drift &&
    urlFile === app.url_file &&
    usesTags === app.uses_tags &&
    schedule === app.schedule
  if (!isSame) {
    const since = schedule === app.schedule ? {} : { schedule_at: parts.clock.now() }
    await parts.db
      .updateTable('apps')
      .set({ ...known, ...since })
      .where('id', '=', app.id)
      .execute()
  }
}
