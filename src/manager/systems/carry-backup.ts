import { systemSendBackup, systemTakeBackup } from '#commands/system.ts'
import { newId } from '#lib/id.ts'
import { Talk } from '#link/talk.ts'
import type { Agents } from '#manager/agents/agents.ts'

interface Carrying {
  readonly agents: Pick<Agents, 'tell'>
  /** Where its file is. */
  readonly from: { readonly host: string; readonly backup: string }
  readonly to: { readonly host: string; readonly backup: string }
  readonly bytes: number
  readonly sha256: string
  /** So long it is waited for either host. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

/**
 * Has one worker send the file of a backup and another take it. The manager hands on what it cannot read, as fast as it is
 * taken, and keeps nothing of it. Rejects with the error of whoever failed first; the other one is ended.
 */
export async function carryBackup({
  agents,
  from,
  to,
  bytes,
  sha256,
  waitMs,
  signal,
}: Carrying): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const [source, target] = [new Talk(), new Talk()]
  const stop = new AbortController()
  let failure: unknown
  function failed(error: unknown): void {
    failure ??= error
    stop.abort('the other host failed')
  }
  source.on('error', failed)
  target.on('error', failed)
  source.pipe(target, { end: false })
  const common = { waitMs, signal: AbortSignal.any([signal, stop.signal]) }
  const sent = agents.tell(from.host, {
    ...{ ...common, id: newId(), talk: source, deadlineMs: systemSendBackup.deadlineMs },
    ...{ command: systemSendBackup.name, params: { backup: from.backup } },
  })
  const taken = agents.tell(to.host, {
    ...{ ...common, id: newId(), talk: target, deadlineMs: systemTakeBackup.deadlineMs },
    ...{ command: systemTakeBackup.name, params: { backup: to.backup, bytes, sha256 } },
  })
  try {
    await Promise.allSettled([sent.catch(failed), taken.catch(failed)])
    if (failure !== undefined) {
      throw failure
    }
    return (await taken) as { bytes: number; sha256: string }
  } finally {
    source.destroy()
    target.destroy()
  }
}
