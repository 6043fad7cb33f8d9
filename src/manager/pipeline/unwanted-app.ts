import { noteMessageRemoval, takenDown } from '#manager/apps/message-removals.ts'
import { isHint } from '#manager/deployments/deployment.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type DescribedApps, isUnwanted } from './described-apps.ts'
import { APP_REMOVAL_GUARDED } from './errors.ts'
import { refuseHeld } from './hold-removals.ts'
import { roomMadeFor } from './make-room.ts'
import type { StepContext, StepOutcome } from './step.ts'
import { awaitedSuccessors, NOBODY } from './successors.ts'
import { endNotAsked } from './wish-for.ts'

/**
 * Ends a deployment of an app that its files want no more, and requests the app's removal: journalled like any other,
 * volumes stay. Only the tip of the branch counts. Undefined when the app is wanted. `taken`: names that the files
 * describe and that are apps of somebody else.
 */
export async function endUnwanted(
  context: StepContext,
  described: DescribedApps,
  taken: readonly string[],
): Promise<StepOutcome | undefined> {
  const { app, deployment, repository } = context
  if (!repository || deployment.wantedCommit !== undefined) {
    return undefined
  }
  if (!isUnwanted(described, app)) {
    return await endTakenDown(context, described)
  }
  const act = context.facts.wish?.act
  const isAskedFor = act !== 'nothing' && act !== 'build'
  // What made room has ended already: all that is left is to take it from the list.
  if (!isAskedFor && (await roomMadeFor(context.parts.db, app.id)) === undefined) {
    return endNotAsked(context, described.source)
  }
  await refuseHeld(context)
  const isOff = described.convention?.entries.get(app.entry)?.state === 'disabled'
  const why = isOff ? 'it is switched off in its file' : 'no file describes it any more'
  // Who switches it off, or asks to remove it, says so, and does not rename it.
  const isSaid = isOff || act === 'remove'
  const { names, open } = isSaid ? NOBODY : await awaitedSuccessors(context, described, taken)
  if (names.length > 0) {
    context.say(`${app.name} is wanted no more: ${why}. It is removed when ${names.join(', ')} was deployed`)
    const evidence = { commit: described.source.commit, why, waits: open }
    const outcome = context.facts.wish?.dryRun === true ? 'dry-run' : 'files-gone'
    return { kind: 'finished', outcome, evidence }
  }
  return await endByRemoval(context, described.source.commit, { why })
}

/** The message of this commit, or of one before, asked to take it down. Only what files made goes by a push. */
async function endTakenDown(
  context: StepContext,
  { apps, source }: DescribedApps,
): Promise<StepOutcome | undefined> {
  const { parts, app, repository, deployment } = context
  const described = apps.find(({ name }) => name === app.entry)
  const act = context.facts.wish?.act
  if (!repository || !described || app.by_files === null || !isHint(deployment.trigger) || act === 'deploy') {
    return undefined
  }
  const here = { app: described, texts: source.texts }
  if (act !== 'remove' && !(await takenDown(parts.db, repository.id))(here)) {
    return undefined
  }
  if (app.approval === 1) {
    throw APP_REMOVAL_GUARDED(app.name)
  }
  const note = { ...here, repository: repository.id, now: parts.clock.now() }
  return await endByRemoval(context, source.commit, {
    why: 'the message of a commit asks to take it down',
    note: async db => await noteMessageRemoval(db, note),
  })
}

interface Reason {
  readonly why: string
  readonly note?: (db: StepContext['parts']['db']) => Promise<void>
}

async function endByRemoval(
  context: StepContext,
  commit: string,
  { why, note }: Reason,
): Promise<StepOutcome> {
  const { parts, app, repository, say, facts } = context
  if (facts.wish?.dryRun === true) {
    say(`dry run: ${app.name} would be removed: ${why}`)
    return { kind: 'finished', outcome: 'dry-run', evidence: { commit, why } }
  }
  const trigger = { kind: 'files', by: repository?.name ?? '', detail: why } as const
  const removal = await inTransaction(parts.db, async db => {
    await note?.(db)
    return await requestDeployment({ ...parts, db }, { appId: app.id, kind: 'remove', trigger })
  })
  say(`${app.name} is wanted no more: ${why}. Deployment ${removal.id} removes it; its volumes stay`)
  parts.wake()
  return { kind: 'finished', outcome: 'files-gone', evidence: { commit, why, removal: removal.id } }
}
