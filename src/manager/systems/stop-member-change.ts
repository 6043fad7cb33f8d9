import type { Static } from 'typebox'
import { systemMemberLook } from '#commands/system.ts'
import type { MemberSight } from '#commands/system-member-look.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import { endMemberChange } from './end-member-change.ts'
import type { MemberChangeRow } from './member-changes.ts'
import type { MemberKeeperOptions } from './member-keeper.ts'

const HOST_WAIT_MS = 15_000
const MOST_NAMES = 20

/**
 * Ends a change of a member that nobody wants any more: its command is ended at the worker, and what is written down says
 * what had been moved by then. One that was done before that could be said is done.
 */
export async function stopMemberChange(options: MemberKeeperOptions, row: MemberChangeRow): Promise<void> {
  if (row.command !== null && (await wasDone(options, row, row.command))) {
    await endMemberChange(options, row, { state: 'done', reason: null })
    return
  }
  const found = await lookAt(options, row)
  const reason = `Ended by ${row.cancelled_by}. ${found}`
  await endMemberChange(options, row, { state: 'cancelled', reason })
}

async function wasDone(
  { agents }: MemberKeeperOptions,
  { host }: MemberChangeRow,
  id: string,
): Promise<boolean> {
  const signal = AbortSignal.abort('no longer wanted')
  return await agents.resume(host, { id, signal, waitMs: HOST_WAIT_MS }).then(
    () => true,
    () => false,
  )
}

async function lookAt({ agents }: MemberKeeperOptions, row: MemberChangeRow): Promise<string> {
  const { name: command, deadlineMs } = systemMemberLook
  const { host, member } = row
  if (unknownCommands(agents, host, [command]).length > 0) {
    return 'What it has moved is not known: its worker is of an older release and cannot tell.'
  }
  const told = { id: newId(), command, params: { member }, deadlineMs, waitMs: HOST_WAIT_MS }
  try {
    return inWords((await agents.tell(host, told)) as Static<typeof MemberSight>, row)
  } catch (error) {
    return `What it has moved is not known: ${asFairleadError(error).message}`
  }
}

/** What is moved stays where it is: it is said what that is, and how to go on. */
function inWords(
  { status, here, away, isBusy }: Static<typeof MemberSight>,
  { member, action }: MemberChangeRow,
): string {
  const [moved, left] = action === 'evacuate' ? [away, here] : [here, away]
  const sentences = [
    `"${member}" is ${status}. Moved and stays there: ${listed(moved)}. Left: ${listed(left)}.`,
    isBusy
      ? `Incus lets nobody end what it has begun with "${member}", and goes on: if it hangs, start the daemon of that member anew ("systemctl restart incus" there, what runs goes on).`
      : '',
    action === 'evacuate' && status === 'evacuated'
      ? `"fairlead systems restore-member ${member}" brings back what was moved.`
      : '',
  ]
  return sentences.filter(each => each !== '').join(' ')
}

function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''
  return names.length === 0 ? 'nothing' : names.slice(0, MOST_NAMES).join(', ') + more
}
