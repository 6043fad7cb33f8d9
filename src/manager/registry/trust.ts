import { registryTrust } from '#commands/registry.ts'
import type { TrustResult } from '#commands/registry-trust.ts'
import type { TrustDocument } from '#contract/rest/registry.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { NO_REGISTRY } from './errors.ts'
import { registryInUse } from './registry-in-use.ts'

const WAIT_MS = 10_000

/** Lets the engines of all workers, or of one, trust the registry in use; says of each whether its policy allowed it. */
export async function trustRegistry(
  parts: Pick<PipelineParts, 'db' | 'sealer' | 'registry' | 'agents'>,
  only: string | undefined,
): Promise<TrustDocument['items']> {
  const registry = await registryInUse(parts)
  if (!registry) {
    throw NO_REGISTRY()
  }
  const { ca: certificate } = registry
  const params = { access: registry, ...(certificate === undefined ? {} : { certificate }) }
  const rows = await parts.db
    .selectFrom('hosts')
    .select('name')
    .where('role', '=', 'worker')
    .orderBy('name')
    .execute()
  const hosts = rows.map(({ name }) => name).filter(name => only === undefined || name === only)
  return await Promise.all(
    hosts.map(async host => {
      try {
        const { deadlineMs, name: command } = registryTrust
        const answer = (await parts.agents.tell(host, {
          ...{ id: newId(), command, params, deadlineMs, waitMs: WAIT_MS },
        })) as TrustResult
        const [{ problem, hint } = { problem: null, hint: null }] = answer.engines
        return { host, ...answer, problem, hint }
      } catch (error) {
        const { message, hint } = asFairleadError(error)
        return { host, file: null, changed: false, problem: message, hint, engines: [] }
      }
    }),
  )
}
