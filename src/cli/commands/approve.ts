import type { Command } from 'commander'
import { ask } from '#cli/ask.ts'
import { chooseApp } from '#cli/choose-app.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { NOT_CONFIRMED, NOTHING_WAITS, PLAN_NOT_NAMED } from '#cli/errors.ts'
import { EXIT } from '#cli/exit-codes.ts'
import type { Page } from '#cli/page.ts'
import { reportDeployment } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import { isWaiting, waitingLines } from '#cli/waiting-plan.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'

interface Options {
  readonly hash?: string
  readonly yes?: boolean
  readonly wait?: boolean
}

const DEPLOYMENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const SHORTEST_HASH = 12

export function configureApprove(command: Command, act: Act): void {
  command
    .argument('<deployment>', 'id of the deployment, or the app of which one waits')
    .option('--hash <hash>', `only this plan: at least ${SHORTEST_HASH} characters of its hash`)
    .option('-y, --yes', 'do not ask')
    .option('-w, --wait', 'show the steps and end with the deployment')
    .action(act(approve))
  withExamples(command, [
    ['fairlead approve shop', 'shows the plan and asks'],
    ['fairlead approve 0199… --hash 3f2a9c1b2d3e --yes', 'for a program that has shown the plan'],
    ['fairlead cancel 0199…', 'rejects it'],
  ])
}

async function approve(session: Session, named: string, options: Options): Promise<number> {
  const { client, printer } = session
  const deployment = await waitingDeployment(session, named)
  const { id, app, plan_hash: hash } = deployment
  if (hash === null) {
    throw NOTHING_WAITS(app)
  }
  if (options.hash !== undefined) {
    if (options.hash.length < SHORTEST_HASH || !hash.startsWith(options.hash)) {
      throw PLAN_NOT_NAMED(id, hash)
    }
  }
  if (isWaiting(deployment)) {
    waitingLines(deployment, printer.colour).forEach(printer.line)
    if (options.yes !== true && !(await ask('Approve this plan?', session.signal))) {
      throw NOT_CONFIRMED(id)
    }
  }
  const approved = await client.send<DeploymentDocument>('POST', `/deployments/${id}/approve`, { hash })
  if (options.wait === true) {
    return await reportDeployment(session, approved, options)
  }
  printer.answer(approved)
  printer.line(`${approved.app}: the plan is approved; follow it with "fairlead logs -f ${id}".`)
  return EXIT.ok
}

async function waitingDeployment({ client }: Session, named: string): Promise<DeploymentDetail> {
  if (DEPLOYMENT_ID.test(named)) {
    return await client.get<DeploymentDetail>(`/deployments/${named}`)
  }
  const app = await chooseApp(client, named)
  const path = `/deployments?app=${app}&state=waiting&limit=1`
  const [waiting] = (await client.get<Page<DeploymentDocument>>(path)).items
  if (!waiting) {
    throw NOTHING_WAITS(app)
  }
  return await client.get<DeploymentDetail>(`/deployments/${waiting.id}`)
}
