import { repositoryRead } from '#commands/repository.ts'
import { dockerfilesOf, refusePlan } from '#targets/refuse-plan.ts'
import { type Plan, type PlanInput, tell } from '#targets/target.ts'
import type { Ask } from './source.ts'

type Input = Pick<PlanInput<unknown>, 'source' | 'found' | 'rules'>

/** Refuses what the policy of the host forbids of a plan, with file and line, before anything of it is done. */
export async function refuseByRules(ask: Ask, plan: Plan, input: Input): Promise<void> {
  const { rules, source } = input
  if (!rules) {
    return
  }
  const missing = dockerfilesOf(plan, { rules, input }).filter(
    ({ dockerfile }) => !Object.hasOwn(source.texts, dockerfile),
  )
  const byPath = new Map(missing.map(each => [each.dockerfile, each]))
  const read = await Promise.all(
    [...byPath.values()].map(async ({ repository, commit, dockerfile }) => {
      const wanted = tell(`read:${dockerfile}`, repositoryRead, { repository, commit, paths: [dockerfile] })
      const { texts } = (await ask(wanted)) as { texts: Readonly<Record<string, string>> }
      return texts
    }),
  )
  refusePlan(plan, { rules, input, texts: Object.assign({}, source.texts, ...read) })
}
