import type { Kysely } from 'kysely'
import { gitHostNamed } from '#git-hosts/index.ts'
import { type FairleadError, toWire } from '#lib/errors.ts'
import { type LinksParts, notebookLinksPlace } from '#manager/notebooks/links-place.ts'
import { notebookPackagesPlace } from '#manager/notebooks/packages-place.ts'
import { openTarget, shownTarget } from '#manager/notifications/channels.ts'
import { CHANNEL_REFUSED, CHANNEL_UNREACHED } from '#manager/notifications/errors.ts'
import { type Message, problemMessage } from '#manager/notifications/message.ts'
import { type MessagingParts, sendMessage } from '#manager/notifications/send-message.ts'
import { REPORT_NOT_ARRIVED, REPORT_REFUSED } from '#manager/reporting/errors.ts'
import { reportWithRepository } from '#manager/reporting/queries.ts'
import type { ReportNote } from '#manager/reporting/report-note.ts'
import { type ReportingParts, sendReport } from '#manager/reporting/send-report.ts'
import type { Tables } from '#manager/store/tables.ts'
import { noteMessage } from './note-message.ts'
import type { PuttingContext } from './put.ts'
import { type OutboxRow, remoteOf } from './rows.ts'

/** How one attempt went. */
export interface Attempt {
  readonly kind: 'sent' | 'refused' | 'later' | 'unwanted'
  readonly reason?: string
  readonly error?: FairleadError
  readonly remote?: string
  readonly afterMs?: number | undefined
}

/** Somebody who is told something. */
export interface Place {
  deliver(row: OutboxRow): Promise<Attempt>
  noteSent(db: Kysely<Tables>): Promise<unknown>
  /** Writes down that it does not arrive; gives the error when that is news. */
  noteProblem(context: PuttingContext, attempt: Attempt): Promise<FairleadError | undefined>
}

export type Places = Readonly<Record<'report' | 'channel' | 'links' | 'packages', (id: string) => Place>>

export function placeOf(places: Places, place: string): Place {
  const [kind, id = ''] = place.split(':')
  return places[kind as keyof Places](id)
}

export function createPlaces(parts: ReportingParts & MessagingParts & LinksParts): Places {
  return {
    report: id => reportPlace(parts, id),
    channel: id => channelPlace(parts, id),
    links: id => notebookLinksPlace(parts, id),
    packages: id => notebookPackagesPlace(parts, id),
  }
}

const UNWANTED: Attempt = { kind: 'unwanted' }

function reportPlace(parts: ReportingParts, repositoryId: string): Place {
  return {
    async deliver(row) {
      const note = JSON.parse(row.payload) as ReportNote
      const remote = row.remote ?? (await remoteOf(parts.db, row, note.deployment))
      return (await sendReport(parts, repositoryId, note, { remote, isRetry: row.attempts > 0 })) ?? UNWANTED
    },
    noteSent: db =>
      db
        .updateTable('reports')
        .set({ problem: null })
        .where('repository_id', '=', repositoryId)
        .where('problem', 'is not', null)
        .execute(),
    async noteProblem(context, { kind, reason = '', error }) {
      const { db, clock } = context
      const report = await reportWithRepository(db, repositoryId)
      if (!report) {
        return undefined
      }
      const needs = gitHostNamed(report.git_host)?.reporting?.token ?? ''
      const problem =
        kind === 'refused'
          ? (error ?? REPORT_REFUSED(report.api, reason, needs))
          : REPORT_NOT_ARRIVED(report.api, reason)
      if (!isNews(report.problem, problem)) {
        return undefined
      }
      const wire = toWire(problem)
      await db
        .updateTable('reports')
        .set({ problem: JSON.stringify(wire) })
        .where('repository_id', '=', repositoryId)
        .execute()
      const about = { repository: report.name, what: 'its Git host takes no reports', error: wire }
      await noteMessage(context, problemMessage(about, clock.now()))
      return problem
    },
  }
}

function channelPlace(parts: ReportingParts & MessagingParts, id: string): Place {
  const read = (db: Kysely<Tables>) =>
    db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst()
  return {
    async deliver(row) {
      const channel = await read(parts.db)
      if (!channel || channel.is_on === 0) {
        return UNWANTED
      }
      const message = JSON.parse(row.payload) as Message
      const addressed = { id: row.id, message }
      return await sendMessage(parts, openTarget(parts.sealer, channel), addressed)
    },
    noteSent: db =>
      db
        .updateTable('channels')
        .set({ problem: null, last_sent_at: parts.clock.now() })
        .where('id', '=', id)
        .execute(),
    async noteProblem({ db }, { kind, reason = '', error }) {
      const channel = await read(db)
      if (!channel) {
        return undefined
      }
      const to = shownTarget(openTarget(parts.sealer, channel))
      const problem =
        kind === 'refused' ? (error ?? CHANNEL_REFUSED(to, reason)) : CHANNEL_UNREACHED(to, reason)
      if (!isNews(channel.problem, problem)) {
        return undefined
      }
      await db
        .updateTable('channels')
        .set({ problem: JSON.stringify(toWire(problem)) })
        .where('id', '=', id)
        .execute()
      return problem
    },
  }
}

function isNews(before: string | null, { code, message }: FairleadError): boolean {
  const known = before === null ? undefined : (JSON.parse(before) as { code: string; message: string })
  return known?.code !== code || known.message !== message
}
