import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'

export function configureCancel(command: Command, act: Act): void {
  command.argument('<deployment>', 'id of the deployment').action(act(cancel))
  withExamples(command, [['fairlead cancel 0199…', 'what ran before keeps running']])
}

async function cancel({ client, printer }: Session, id: string): Promise<void> {
  const path = `/deployments/${encodeURIComponent(id)}/cancel`
  const deployment = await client.send<DeploymentDocument>('POST', path)
  printer.answer(deployment)
  printer.line(
    deployment.state === 'cancelled'
      ? `The deployment of ${deployment.app} is cancelled.`
      : `The deployment of ${deployment.app} was asked to stop.`,
  )
}
