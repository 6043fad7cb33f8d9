import type { Selectable } from 'kysely'
import { remoteOf } from '#manager/pipeline/source.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { urlBlock } from '#manager/pipeline/url-block.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { lineageOf, notePushed } from '#manager/triggers/lineage.ts'

/** Writes into the repository where the app is to be found. What it reports on runs already: it fails no deployment. */
export const writeBack: Step = {
  name: 'write-back',
  deadlineMs: 2 * 60_000,
  onFailure: 'ignore',
  isWanted: ({ facts }) => facts.urlFile !== undefined && linkable(facts.domains).length > 0,
  run: writeUrlFile,
}

interface WrittenBack {
  readonly outcome: 'pushed' | 'unchanged'
  readonly commit: string
  readonly parent: string | null
  readonly skips: boolean
  readonly warnings: readonly string[]
}

async function writeUrlFile(context: StepContext): Promise<StepOutcome> {
  const { parts, app, repository, deployment, facts } = context
  const path = facts.urlFile
  if (!repository || path === undefined) {
    return { kind: 'skipped' }
  }
  const commit = await runningCommit(context, repository)
  const visitors = parts.agents.state(app.host)?.agent?.visitors
  const block = urlBlock({ app: app.name, path, domains: linkable(facts.domains), commit, visitors })
  const written = (await tellWorker(context, {
    key: 'url-file',
    command: 'repository.write-back',
    data: { ...remoteOf(repository, parts.sealer), blocks: [block], deployment: deployment.id, commit },
  })) as unknown as WrittenBack
  if (written.outcome === 'pushed' && written.parent !== null) {
    await notePushed(parts.db, {
      repository_id: repository.id,
      commit: written.commit,
      parent: written.parent,
      skips: written.skips ? 1 : 0,
      deployment_id: deployment.id,
      created_at: parts.clock.now(),
    })
  }
  for (const warning of written.warnings) {
    context.say(`warning: ${warning}`)
  }
  context.say(
    written.outcome === 'pushed'
      ? `${path} is written in commit ${written.commit.slice(0, 12)}`
      : `${path} needs no change`,
  )
  return done({ path, outcome: written.outcome, commit: written.commit, warnings: written.warnings })
}

/** The commit that a person pushed: reports on the same one are the same, whatever of ours lies on top of it. */
async function runningCommit(
  { parts: { db }, app, facts }: StepContext,
  repository: Selectable<RepositoryTable>,
): Promise<string> {
  const wanted = facts.source?.commit ?? ''
  // Nothing was made anew: what runs is of the commit that it was made from.
  const running = facts.plan?.nothingToDo ? (await newestRelease(db, app.id))?.commit : undefined
  return (await lineageOf(db, repository.id, running ?? wanted)).origin
}

/** Addresses that somebody can open. */
function linkable(domains: readonly string[] = []): readonly string[] {
  return domains.filter(host => !host.includes('*'))
}
