import type { Message } from '#manager/notifications/message.ts'
import { channelsFor } from './interest.ts'
import { channelPlace, type PuttingContext, putIn } from './put.ts'

/** Puts a message in line for everybody who wants to hear of its event, inside the transaction that made it true. */
export async function noteMessage(context: PuttingContext, message: Message | undefined): Promise<void> {
  if (message === undefined || message.event === 'test') {
    return
  }
  const channels = channelsFor(context.outbox.interest(), [message.event], message.app)
  await putIn(
    context,
    channels.map(channel => ({ place: channelPlace(channel), subject: '', payload: message })),
  )
}
