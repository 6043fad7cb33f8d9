import type { FastifyRequest } from 'fastify'
import type { ManagerParts } from '#manager/parts.ts'
import { seenNames } from '#manager/people/access.ts'
import { speakerOf } from './authenticate.ts'
import { ROUTE_RULES } from './route-rules.ts'

/**
 * What a list may be made of for who asks; undefined: everything. The list itself must not find more: its cursors and the
 * sizes of its pages would tell of what is left out afterwards.
 */
export async function visibleNames(
  { db }: Pick<ManagerParts, 'db'>,
  request: FastifyRequest,
): Promise<readonly string[] | undefined> {
  const { items } = ROUTE_RULES[`${request.method} ${request.routeOptions.url}`] ?? {}
  const speaker = speakerOf(request)
  return items && speaker.role === null && !speaker.apps
    ? await seenNames(db, speaker, items.kind)
    : undefined
}
