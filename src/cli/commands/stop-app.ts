import type { Command } from 'commander'
import type { Act } from '#cli/command.ts'
import { readTimeout } from '#cli/duration.ts'
import { reportDeployment, type WaitOptions } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'

/** `fairlead apps stop` and `fairlead apps start`. */
export function configureStop(command: Command, act: Act): void {
  for (const [verb, description] of [
    ['stop', 'ends what runs of an app until a person starts it; volumes, images and releases stay'],
    ['start', 'brings back the release that ran when the app was stopped'],
  ] as const) {
    command
      .command(verb)
      .description(description)
      .argument('<app>')
      .option('-w, --wait', 'show the steps and end with the deployment')
      .option(
        '--timeout <duration>',
        'with --wait: how long, such as 20m; the deployment goes on',
        readTimeout,
      )
      .action(
        act(async (session: Session, app: string, options: WaitOptions) => {
          const path = `/apps/${encodeURIComponent(app)}/${verb}`
          const deployment = await session.client.send<DeploymentDocument>('POST', path, {})
          return await reportDeployment(session, deployment, options)
        }),
      )
  }
}
