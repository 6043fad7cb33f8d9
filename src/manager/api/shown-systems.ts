import type { SystemDocument } from '#contract/rest/systems.ts'
import { listDeployments } from '#manager/deployments/queries.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { describeSystem } from '#manager/systems/describe-system.ts'
import { findOwner, ownerOf } from '#manager/systems/owners.ts'
import { listSystems, type SystemRecord } from '#manager/systems/queries.ts'
import { deploymentDocument } from './documents.ts'
import type { ApiParts } from './parts.ts'

export async function showSystem(parts: ApiParts, record: SystemRecord): Promise<SystemDocument> {
  const [latest] = await listDeployments(parts.db, { app: record.app.name, limit: 1 })
  return await describeSystem(parts, record, latest ? deploymentDocument(latest) : null)
}

/** All of this owner, or of anybody. Whoever is no admin sees their own, whomever they ask for. */
export async function systemsFor(
  parts: ApiParts,
  speaker: Speaker,
  owner: string | undefined,
): Promise<SystemDocument[]> {
  const { db } = parts
  const whose = speaker.role === 'admin' ? owner && (await findOwner(db, owner)).id : ownerOf(speaker).id
  return await Promise.all((await listSystems(db, whose)).map(each => showSystem(parts, each)))
}
