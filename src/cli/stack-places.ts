import type { StackDefinitionList } from '#contract/rest/stacks.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'

/** Says which repositories could not be read, and why, and what else is not in an answer. */
export function noteUnread(
  printer: Session['printer'],
  { unread, incomplete, unasked }: Pick<StackDefinitionList, 'unread' | 'incomplete' | 'unasked'>,
): void {
  for (const repository of incomplete) {
    printer.note(
      printer.colour.yellow(`${repository}: has more files than are read; some may be missing here`),
    )
  }
  if (unasked > 0) {
    printer.note(
      printer.colour.yellow(`${unasked} more repositories were not asked: name one with --repository`),
    )
  }
  for (const { repository, error } of unread) {
    printer.note(printer.colour.yellow(`${repository}: ${inertLine(error.message, 300)}`))
  }
}

/** The query of what is named. */
export function queryOf(place: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(place).filter(([, value]) => value !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs as [string, string][])}`
}
