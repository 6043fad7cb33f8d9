import { AuditPage, AuditQuery, AuditVerification } from '#contract/rest/audit.ts'
import { latestAudit, listAudit, verifyAudit } from '#manager/audit/audit.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['audit']

/** Who did what. */
export function auditRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/audit',
    {
      schema: {
        summary: 'List who asked for what, and how it ended',
        tags,
        querystring: AuditQuery,
        response: { 200: AuditPage },
      },
    },
    async ({ query }) => {
      const { limit = PAGE_SIZE, cursor, order = 'newest' } = query
      const found =
        order === 'oldest'
          ? await listAudit(db, { after: Number(cursor ?? 0), limit: limit + 1 })
          : await latestAudit(db, { before: Number(cursor ?? Number.MAX_SAFE_INTEGER), limit: limit + 1 })
      return pageOf(found, limit, ({ seq }) => String(seq))
    },
  )

  api.get(
    '/audit/verification',
    {
      schema: {
        summary: 'Check that no line of the audit log was removed or changed',
        tags,
        response: { 200: AuditVerification },
      },
    },
    async () => {
      const { head, problem } = await verifyAudit(parts)
      return { ok: problem === null, entries: head.seq, head: `${head.seq}:${head.hash}`, problem }
    },
  )
}
