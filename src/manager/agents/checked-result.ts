import { check } from '#lib/check.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { AgentConnection } from './connection.ts'
import { BAD_ANSWER } from './errors.ts'

/** How a command ended, after its last line. */
export type Ended = { readonly seq: number } & (
  | { readonly data: unknown }
  | { readonly error: FairleadError }
)

/** The result of a command, if that is what it gives; else throws its own error, or BAD_ANSWER. */
export function checkedResult(connection: AgentConnection, command: string, ended: Ended): unknown {
  if ('error' in ended) {
    throw ended.error
  }
  const schema = connection.resultOf(command)
  if (!schema) {
    throw BAD_ANSWER(`The result of ${command}`, 'this manager knows no such command')
  }
  return check(schema, ended.data, `The result of ${command}`, BAD_ANSWER)
}
