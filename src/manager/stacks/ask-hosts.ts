import type { StackList } from '#contract/rest/stacks.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'

export interface HostAnswers<T> {
  readonly answers: readonly { readonly host: string; readonly answer: T }[]
  readonly unseen: StackList['unseen']
}

/** Asks every worker the same; those that do not answer are told, not thrown. */
export async function askHosts<T>(parts: ManagerParts, command: string): Promise<HostAnswers<T>> {
  const hosts = await parts.db
    .selectFrom('hosts')
    .select('name')
    .where('role', '=', 'worker')
    .orderBy('name')
    .execute()
  const looks = hosts.map(async ({ name: host }) => {
    try {
      const answer = (await askDirectly(parts, host)({ key: 'list', command, data: {} })) as T
      return { host, answer }
    } catch (error) {
      return { host, error: toWire(asFairleadError(error)) }
    }
  })
  const all = await Promise.all(looks)
  return {
    answers: all.flatMap(each => ('answer' in each ? [each as { host: string; answer: T }] : [])),
    unseen: all.flatMap(({ host, ...rest }) =>
      'error' in rest ? [{ host, error: rest.error }] : [],
    ) as never,
  }
}
