import type { Selectable } from 'kysely'
import { knownTo } from '#manager/agents/unknown-commands.ts'
import { isHalfStoppedApp } from '#manager/deployments/half-stopped.ts'
import { registryInUse } from '#manager/registry/registry-in-use.ts'
import { madeImages } from '#manager/releases/made-images.ts'
import { factsOf, keptReleases, newestRelease, type ReleaseGoal } from '#manager/releases/queries.ts'
import {
  type OpenSecrets,
  presentSecrets,
  type SecretRevisions,
  secretsOfRelease,
} from '#manager/secrets/queries.ts'
import type { AppTable } from '#manager/store/tables.ts'
import type { PlanInput } from '#targets/target.ts'
import type { PipelineParts } from './step.ts'

export interface ManagersInput {
  readonly input: Omit<PlanInput<unknown>, 'settings' | 'source' | 'found'>
  /** Revisions of the secrets in the input. */
  readonly secretRevisions: SecretRevisions
}

/** What the manager itself contributes to a plan: the app, its secrets, the registry, the releases before. */
export async function readPlanInput(
  parts: PipelineParts,
  app: Selectable<AppTable>,
  {
    deployment,
    goal,
    drifted,
    moved,
    wanted,
    tags,
    uses = [],
    files,
  }: Pick<PlanInput<unknown>, 'deployment' | 'drifted' | 'moved' | 'wanted' | 'tags'> & {
    readonly goal?: ReleaseGoal | undefined
    readonly uses?: readonly string[] | undefined
    /** From encrypted files of the commit. */
    readonly files?: OpenSecrets | undefined
  },
): Promise<ManagersInput> {
  const used = { repositoryId: app.repository_id ?? '', uses: goal ? [] : uses, engine: app.engine }
  const [secrets, registry, newest, kept, made, isHalfStopped] = await Promise.all([
    goal ? secretsOfRelease(parts, app.id, goal.secrets) : presentSecrets(parts, app.id, files),
    registryInUse(parts),
    newestRelease(parts.db, app.id),
    keptReleases(parts.db, app.id, parts.keepReleases),
    madeImages(parts.db, used),
    isHalfStoppedApp(parts.db, app.id),
  ])
  return {
    input: {
      app: { id: app.id, name: app.name, baseDomain: parts.baseDomain },
      deployment,
      registry,
      notebooks: parts.notebooks,
      secrets: secrets.values,
      previous: newest && factsOf(newest),
      goal,
      drifted,
      isStopped: app.stopped_at !== null,
      isHalfStopped,
      moved,
      made,
      wanted,
      tags,
      knows: knownTo(parts.agents, app.host),
      rules: parts.agents.state(app.host)?.agent?.policy,
      kept: kept.map(factsOf),
    },
    secretRevisions: secrets.revisions,
  }
}
