import { LOCAL_ENGINE } from '#commands/engine.ts'
import type { SeenEngine } from '#contract/engine.ts'
import type { StackList } from '#contract/rest/stacks.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { ENGINE_UNSEEN } from './errors.ts'

interface Place {
  readonly host: string
  /** null: the host's own. */
  readonly engine: string | null
}

export interface HostAnswers<T> {
  readonly answers: readonly (Place & { readonly answer: T })[]
  readonly unseen: StackList['unseen']
}

/** Asks every engine of every worker the same; those that do not answer are told, not thrown. */
export async function askHosts<T>(parts: ManagerParts, command: string): Promise<HostAnswers<T>> {
  const looks = (await everyEngine(parts)).map(async ({ problem, ...place }) => {
    const { host, engine } = place
    try {
      if (problem !== null) {
        throw ENGINE_UNSEEN(engine ?? LOCAL_ENGINE, host, problem)
      }
      const ask = askDirectly(parts, host, { engine: engine ?? undefined })
      return { ...place, answer: (await ask({ key: 'list', command, data: {} })) as T }
    } catch (error) {
      return { ...place, error: toWire(asFairleadError(error)) }
    }
  })
  const all = await Promise.all(looks)
  return {
    answers: all.flatMap(each => ('answer' in each ? [each as Place & { answer: T }] : [])),
    unseen: all.flatMap(each => ('error' in each ? [each] : [])) as never,
  }
}

/** An engine that did not answer its host lately is not waited for. */
async function everyEngine({ db }: ManagerParts): Promise<(Place & Pick<SeenEngine, 'problem'>)[]> {
  const hosts = await db
    .selectFrom('hosts')
    .select(['name', 'engines'])
    .where('role', '=', 'worker')
    .orderBy('name')
    .execute()
  return hosts.flatMap(({ name: host, engines }) => {
    const seen = JSON.parse(engines ?? '[]') as SeenEngine[]
    const others = seen.filter(({ name }) => name !== LOCAL_ENGINE)
    return [
      { host, engine: null, problem: null },
      ...others.map(({ name: engine, problem }) => ({ host, engine, problem })),
    ]
  })
}
