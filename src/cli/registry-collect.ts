import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { CollectionDocument } from '#contract/rest/registry.ts'
import { inBytes } from './bytes.ts'
import { EXIT } from './exit-codes.ts'
import { reportDeployment } from './report-deployment.ts'
import type { Session } from './session.ts'

/** Shows what would go from the registry, or has it deleted and shows that to its end. */
export async function collectRegistry(
  session: Session,
  { dryRun }: { readonly dryRun?: boolean },
): Promise<number> {
  const { client, printer } = session
  if (dryRun !== true) {
    const deployment = await client.send<DeploymentDocument>('POST', '/registry/collect')
    return await reportDeployment(session, deployment, { wait: true })
  }
  const answer = await client.get<CollectionDocument>('/registry/collection')
  printer.answer(answer)
  const named = (each: { repository: string; digest: string; tags: readonly string[] }) => [
    each.repository,
    each.tags[0] ?? each.digest.slice(0, 19),
  ]
  printer.table(
    ['repository', 'image', ''],
    [
      ...answer.gone.map(each => [...named(each), 'would go']),
      ...answer.kept.map(each => [...named(each), `stays: ${each.why}`]),
    ],
  )
  printer.line(
    `Nothing was deleted. ${answer.gone.length} images would go, ${inBytes(answer.bytes)} of layers.`,
  )
  return EXIT.ok
}
