import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { CollectionDocument } from '#contract/rest/registry.ts'
import { inBytes } from './bytes.ts'
import { EXIT } from './exit-codes.ts'
import { reportDeployment } from './report-deployment.ts'
import type { Session } from './session.ts'

/** Shows what would go from the registry, or has it deleted and shows that to its end. */
export async function collectRegistry(
  session: Session,
  { dryRun, olderThan }: { readonly dryRun?: boolean; readonly olderThan?: number },
): Promise<number> {
  const { client, printer } = session
  const seconds = olderThan === undefined ? undefined : Math.floor(olderThan / 1_000)
  if (dryRun !== true) {
    const deployment = await client.send<DeploymentDocument>('POST', '/registry/collect', {
      ...(seconds === undefined ? {} : { older_than_seconds: seconds }),
    })
    return await reportDeployment(session, deployment, { wait: true })
  }
  const answer = await client.get<CollectionDocument>(
    `/registry/collection${seconds === undefined ? '' : `?older_than_seconds=${seconds}`}`,
  )
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
