import type { AuditEntryDocument } from '#contract/rest/audit.ts'
import { get, type Page } from './client.ts'

const PAGE = 1000

/** The whole log, oldest line first, one JSON object a line. */
export async function exportAudit(): Promise<Blob> {
  const parts: string[] = []
  let cursor: string | undefined
  do {
    const page: Page<AuditEntryDocument> = await get('/audit', { order: 'oldest', limit: PAGE, cursor })
    parts.push(...page.items.map(item => `${JSON.stringify(item)}\n`))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return new Blob(parts, { type: 'application/jsonl' })
}
