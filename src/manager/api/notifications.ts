import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import {
  ChangedChannelDocument,
  ChannelChange,
  ChannelDocument,
  ChannelPage,
  ChannelsQuery,
  ChannelTestDocument,
  NewChannel,
} from '#contract/rest/notifications.ts'
import {
  type ChangedChannel,
  createChannel,
  deleteChannel,
  updateChannel,
} from '#manager/notifications/change-channels.ts'
import {
  type ChannelRow,
  channelNamed,
  listChannels,
  openTarget,
  shownTarget,
} from '#manager/notifications/channels.ts'
import { tryChannel } from '#manager/notifications/try-channel.ts'
import { timeText } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { wantedVersion, withVersion } from './version.ts'

const ChannelPath = Type.Object({ channel: Name }, strict)
const tags = ['notifications']

/** Notification channels: where people are told what happens. */
export function notificationRoutes(api: Api, parts: ApiParts): void {
  const { db, sealer } = parts
  const shown = (row: ChannelRow) => channelDocument(row, shownTarget(openTarget(sealer, row)))
  const changed = ({ channel, secret }: ChangedChannel) => ({ ...shown(channel), secret: secret ?? null })

  api.get(
    '/notifications',
    {
      schema: {
        summary: 'List notification channels by name',
        tags,
        querystring: ChannelsQuery,
        response: { 200: ChannelPage },
      },
    },
    async ({ query }) => {
      const { limit = PAGE_SIZE, cursor } = query
      const found = await listChannels(db, { limit: limit + 1, after: cursor })
      const page = pageOf(found, limit, channel => channel.name)
      return { ...page, items: page.items.map(shown) }
    },
  )

  api.post(
    '/notifications',
    {
      schema: {
        summary: 'Add a notification channel',
        tags,
        body: NewChannel,
        response: { 201: ChangedChannelDocument },
      },
    },
    async ({ body }, reply) => {
      const made = await createChannel(parts, body)
      withVersion(reply, made.channel.version)
      return reply
        .code(201)
        .header('location', `/api/v1/notifications/${made.channel.name}`)
        .send(changed(made))
    },
  )

  api.get(
    '/notifications/:channel',
    {
      schema: {
        summary: 'Read a notification channel',
        tags,
        params: ChannelPath,
        response: { 200: ChannelDocument },
      },
    },
    async ({ params }, reply) => {
      const channel = await channelNamed(db, params.channel)
      withVersion(reply, channel.version)
      return shown(channel)
    },
  )

  api.patch(
    '/notifications/:channel',
    {
      schema: {
        summary: 'Change a notification channel',
        description: 'A new target is given whole, with its password.',
        tags,
        params: ChannelPath,
        body: ChannelChange,
        response: { 200: ChangedChannelDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const wanted = { name: params.channel, change: body, version: wantedVersion(request) }
      const made = await updateChannel(parts, wanted)
      withVersion(reply, made.channel.version)
      return changed(made)
    },
  )

  api.delete(
    '/notifications/:channel',
    {
      schema: {
        summary: 'Delete a notification channel, with what it has not sent yet',
        tags,
        params: ChannelPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await deleteChannel(parts, { name: request.params.channel, version: wantedVersion(request) })
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/notifications/:channel/test',
    {
      schema: {
        summary: 'Send a test message now, and say how that went',
        tags,
        params: ChannelPath,
        response: { 200: ChannelTestDocument },
      },
    },
    async ({ params }) => {
      const to = await tryChannel(parts, params.channel)
      return { sent: true as const, to }
    },
  )
}

function channelDocument(row: ChannelRow, to: string): ChannelDocument {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    on: row.is_on === 1,
    events: JSON.parse(row.events),
    apps: row.apps === null ? null : JSON.parse(row.apps),
    to,
    problem: row.problem === null ? null : JSON.parse(row.problem),
    last_sent_at: row.last_sent_at === null ? null : timeText(row.last_sent_at),
    version: row.version,
    created_at: timeText(row.created_at),
    updated_at: timeText(row.updated_at),
  }
}
