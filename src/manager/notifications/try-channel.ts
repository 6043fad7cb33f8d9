import { newId } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { channelNamed, openTarget, shownTarget } from './channels.ts'
import { CHANNEL_REFUSED, CHANNEL_UNREACHED } from './errors.ts'
import { testMessage } from './message.ts'
import { sendMessage } from './send-message.ts'

/** Sends a test message past the outbox, so that whoever asked sees how it went; gives where it went. */
export async function tryChannel(parts: ManagerParts, name: string): Promise<string> {
  const { db, clock, sealer, config } = parts
  const channel = await channelNamed(db, name)
  const target = openTarget(sealer, channel)
  const to = shownTarget(target)
  const message = testMessage(name, clock.now())
  const verdict = await sendMessage({ ...parts, addressRules: config }, target, {
    id: newId(),
    message,
  })
  if (verdict.kind !== 'sent') {
    throw verdict.kind === 'refused'
      ? CHANNEL_REFUSED(to, verdict.reason)
      : CHANNEL_UNREACHED(to, verdict.reason)
  }
  await db
    .updateTable('channels')
    .set({ problem: null, last_sent_at: clock.now() })
    .where('id', '=', channel.id)
    .execute()
  return to
}
