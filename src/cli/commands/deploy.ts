import type { Command } from 'commander'
import { chooseApp } from '#cli/choose-app.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readTimeout } from '#cli/duration.ts'
import { reportDeployment, type WaitOptions } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'

interface Options extends WaitOptions {
  readonly commit?: string
  readonly version?: string
}

export function configureDeploy(command: Command, act: Act): void {
  command
    .argument('[app]', 'which app; needed when there are several')
    .option('--commit <id>', 'the full id of a commit; default: the newest of the branch')
    .option('--version <text>', 'of the artefact that the app makes; default: as its deploy file says')
    .option('-w, --wait', 'show the steps and end with the deployment')
    .option('--timeout <duration>', 'with --wait: how long, such as 20m; the deployment goes on', readTimeout)
    .option('--result <file>', 'with --wait: write how it went into this file, for the artifacts of a CI job')
    .action(act(deploy))
  withExamples(command, [
    ['fairlead deploy shop --wait', 'the newest commit, and see it through'],
    ['fairlead deploy --json', 'the only app, answer for a program'],
    ['fairlead deploy shop --wait --result result.json', 'what was done, as a file'],
    ['fairlead deploy shop --commit 3f2a…', 'exactly this commit'],
    ['fairlead deploy api --version 1.2.0 --wait', 'of an app that makes an image: this version'],
  ])
}

async function deploy(session: Session, named: string | undefined, options: Options): Promise<number> {
  const app = await chooseApp(session.client, named)
  const { commit, version } = options
  const body = { ...(commit === undefined ? {} : { commit }), ...(version === undefined ? {} : { version }) }
  const deployment = await session.client.send<DeploymentDocument>('POST', `/apps/${app}/deploy`, body)
  return await reportDeployment(session, deployment, options)
}
