import type { Command } from 'commander'
import { AUDIT_HEAD_MALFORMED } from '#cli/audit-errors.ts'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'
import type { AuditVerification } from '#contract/rest/audit.ts'
import { type AuditEntry, type AuditHead, createAuditCheck } from '#lib/audit-chain.ts'

interface Page {
  readonly items: AuditEntry[]
  readonly next: string | null
}

export function configureAudit(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists who asked for what, the newest first')
    .option('--limit <number>', 'so many lines, at most 1000', '50')
    .action(act(list))
  command
    .command('export')
    .description('prints the whole log, the oldest first, one line of JSON for each')
    .action(act(exportAll))
  command
    .command('verify')
    .description('checks that no line was removed or changed; exit code 1 if one was')
    .option('--head <seq:hash>', 'what an earlier verification printed has to be in the log')
    .action(act(verify))
  withExamples(command, [
    ['fairlead audit', 'who did what last'],
    ['fairlead audit verify', 'prints the head: keep it outside of the manager'],
    ['fairlead audit verify --head 812:5c1e…', 'nothing before it was written anew since'],
    ['fairlead audit export > audit.jsonl', ''],
  ])
}

async function list({ client, printer }: Session, { limit }: { readonly limit: string }): Promise<void> {
  const page = await client.get<Page>(`/audit?limit=${encodeURIComponent(limit)}`)
  printer.answer(page)
  printer.table(
    ['line', 'when', 'who', 'what', 'details', 'result'],
    page.items.map(entry => [
      String(entry.seq),
      entry.at,
      entry.who,
      `${entry.action.split(' ')[0]} ${entry.target}`,
      entry.details ?? '',
      `${entry.result}${entry.status === null ? '' : ` (${entry.status})`}`,
    ]),
  )
}

async function exportAll({ client, printer }: Session): Promise<void> {
  for await (const entry of wholeLog(client)) {
    // Whoever exports wants JSON, with --json and without.
    printer.entry(JSON.stringify(entry), entry)
  }
}

/** The lines are checked here, so that not only the word of the manager counts. */
async function verify({ client, printer }: Session, options: { readonly head?: string }): Promise<number> {
  const told = await client.get<AuditVerification>('/audit/verification')
  const check = createAuditCheck(options.head === undefined ? [] : [headIn(options.head)])
  for await (const entry of wholeLog(client)) {
    check.take(entry)
  }
  const own = check.finish()
  const problem = told.problem ?? own.problem
  const head = `${own.head.seq}:${own.head.hash}`
  printer.answer({ ok: problem === null, entries: own.head.seq, head, problem })
  printer.line(
    problem === null ? `Whole: ${own.head.seq} lines. Keep the head: ${head}` : `NOT WHOLE: ${problem}.`,
  )
  return problem === null ? 0 : 1
}

async function* wholeLog(client: Session['client']): AsyncGenerator<AuditEntry> {
  let cursor: string | null = '0'
  while (cursor !== null) {
    const page: Page = await client.get<Page>(`/audit?order=oldest&limit=1000&cursor=${cursor}`)
    yield* page.items
    cursor = page.next
  }
}

function headIn(text: string): AuditHead {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq === undefined || hash === undefined) {
    throw AUDIT_HEAD_MALFORMED(text)
  }
  return { seq: Number(seq), hash }
}
