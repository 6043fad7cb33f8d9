import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readTimeout } from '#cli/duration.ts'
import { reportDeployment, type WaitOptions } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'

interface Options extends WaitOptions {
  readonly to?: string
}

export function configureRollback(command: Command, act: Act): void {
  command
    .argument('<app>', 'which app')
    .option('--to <release>', 'which release ("fairlead releases" lists them); default: what ran before')
    .option('-w, --wait', 'show the steps and end with the deployment')
    .option('--timeout <duration>', 'with --wait: how long, such as 20m; the deployment goes on', readTimeout)
    .action(act(rollback))
  withExamples(command, [['fairlead rollback shop --wait', 'back to the release before, nothing is built']])
}

async function rollback(session: Session, app: string, options: Options): Promise<number> {
  const body = options.to === undefined ? {} : { release: options.to }
  const path = `/apps/${encodeURIComponent(app)}/rollback`
  const deployment = await session.client.send<DeploymentDocument>('POST', path, body)
  return await reportDeployment(session, deployment, options)
}
