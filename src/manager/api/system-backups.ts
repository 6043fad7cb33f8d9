import { Type } from 'typebox'
import {
  BackupDocument,
  BackupList,
  BackupPath,
  BackupsQuery,
  NewBackupCopy,
} from '#contract/rest/system-backups.ts'
import { SystemPath } from '#contract/rest/systems.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import {
  type BackupRow,
  forgetBackup,
  listBackups,
  readBackup,
  requestBackup,
} from '#manager/systems/backups.ts'
import { requestCopy } from '#manager/systems/copy-backup.ts'
import { ownerNames, ownerOf } from '#manager/systems/owners.ts'
import { speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['systems']

/** Files of systems: they are made in the background, and outlive the system. */
export function systemBackupRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  async function documentsOf(rows: readonly BackupRow[]): Promise<BackupDocument[]> {
    const names = await ownerNames(
      db,
      rows.map(({ owner }) => owner),
    )
    return rows.map(row => ({ ...backupDocument(row), owner: names.get(row.owner)?.name ?? '' }))
  }

  api.get(
    '/system-backups',
    {
      schema: {
        summary: 'List backups of systems, newest first',
        tags,
        querystring: BackupsQuery,
        response: { 200: BackupList },
      },
    },
    async request => {
      const { system, host } = request.query
      const rows = await listBackups(db, whose(speakerOf(request)))
      const wanted = rows.filter(
        row => (system ?? row.system) === row.system && (host ?? row.host) === row.host,
      )
      return { items: await documentsOf(wanted) }
    },
  )

  api.get(
    '/system-backups/:backup',
    { schema: { summary: 'Read a backup', tags, params: BackupPath, response: { 200: BackupDocument } } },
    async request => {
      const row = await readBackup(db, request.params.backup, whose(speakerOf(request)))
      return (await documentsOf([row]))[0] as BackupDocument
    },
  )

  api.post(
    '/systems/:system/backups',
    {
      schema: {
        summary: 'Write a system into an encrypted file of its host',
        description:
          'It goes on running. Snapshots are left out. Ask for the backup until its state is another.',
        tags,
        params: SystemPath,
        response: { 202: BackupDocument },
      },
    },
    async (request, reply) => {
      const by = speakerOf(request).name
      const row = await requestBackup(parts, { system: request.params.system, by, isScheduled: false })
      return reply.code(202).send((await documentsOf([row]))[0] as BackupDocument)
    },
  )

  api.post(
    '/system-backups/:backup/copies',
    {
      schema: {
        summary: 'Bring a copy of a backup to another host',
        description:
          'The encrypted file goes from one worker to the other. A copy that is there, or on its way, is given. Ask for it until its state is another; systems are made of it like of any other.',
        tags,
        params: BackupPath,
        body: NewBackupCopy,
        response: { 202: BackupDocument },
      },
    },
    async (request, reply) => {
      const speaker = speakerOf(request)
      const of = await readBackup(db, request.params.backup, whose(speaker))
      const row = await requestCopy(parts, of, { host: request.body.host, by: speaker.name })
      return reply.code(202).send((await documentsOf([row]))[0] as BackupDocument)
    },
  )

  api.delete(
    '/system-backups/:backup',
    {
      schema: {
        summary: 'Delete a backup; one that is being made is ended',
        tags,
        params: BackupPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = await readBackup(db, request.params.backup, whose(speakerOf(request)))
      await forgetBackup(db, id)
      return reply.code(204).send(null)
    },
  )
}

/** Whoever is no admin has their own. */
function whose(speaker: Speaker): string | undefined {
  return speaker.role === 'admin' ? undefined : ownerOf(speaker).id
}

function backupDocument(row: BackupRow): Omit<BackupDocument, 'owner'> {
  const { id, system, host, state, bytes, sha256, reason } = row
  return {
    ...{ id, system, owner_id: row.owner, host, state, bytes, sha256, reason },
    image: (JSON.parse(row.settings) as { image: string }).image,
    scheduled: row.is_scheduled === 1,
    copy_of: row.copy_of,
    created_at: timeText(row.created_at),
    ended_at: row.ended_at === null ? null : timeText(row.ended_at),
  }
}
