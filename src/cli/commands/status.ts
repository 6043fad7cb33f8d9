import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { ago } from '#cli/duration.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import { runningCommit } from '#cli/running-commit.ts'
import type { Session } from '#cli/session.ts'
import { isWaiting } from '#cli/waiting-plan.ts'
import type { AppDocument, ObservedDocument } from '#contract/rest/apps.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { DriftSummary } from '#contract/rest/drift.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'

const LATEST = 10

export function configureStatus(command: Command, act: Act): void {
  command.action(act(status))
  withExamples(command, [['fairlead status', 'apps, the latest deployments and hosts']])
}

async function status({ client, printer, clock }: Session): Promise<void> {
  const [apps, deployments, hosts] = await Promise.all([
    readList<AppDocument>(client, '/apps'),
    readList<DeploymentDocument>(client, '/deployments', LATEST),
    client.get<{ items: HostDocument[] }>('/hosts'),
  ])
  printer.answer({ apps, deployments, hosts: hosts.items })
  const { colour } = printer
  printer.line(colour.bold('Apps'))
  if (apps.length === 0) {
    printer.line('none yet: register a repository with "fairlead repositories add"')
  } else {
    printer.table(['app', 'target', 'seen', 'release', 'deployment', 'domains'], apps.map(appRow))
  }
  if (deployments.length > 0) {
    printer.line(`\n${colour.bold('Latest deployments')}`)
    printer.table(
      ['deployment', 'app', 'state', 'commit', 'by', 'when'],
      deployments.map(deployment => deploymentRow(deployment, clock.now())),
    )
  }
  for (const { name, schedule } of apps) {
    if (schedule) {
      printer.line(`${name} is deployed by itself: ${scheduleText(schedule)}`)
    }
  }
  for (const { name, paused } of apps.filter(app => app.paused)) {
    printer.line(`${name} is paused, ${paused?.reason}: ${colour.cyan(`fairlead apps resume ${name}`)}`)
  }
  for (const { app, id } of deployments.filter(isWaiting)) {
    printer.line(`${app} waits for an approval: ${colour.cyan(`fairlead approve ${id}`)}`)
  }
  printer.line(`\n${colour.bold('Hosts')}`)
  printer.table(
    ['host', 'address', 'online'],
    hosts.items.map(host => [host.name, host.address, host.online ? 'yes' : 'NO']),
  )
}

function appRow(app: AppDocument): string[] {
  return [
    app.name,
    app.target,
    [seenText(app.observed), ...driftText(app.drift), ...(app.paused ? ['PAUSED'] : [])].join('; '),
    runningCommit(app.release),
    app.deployment?.state ?? '-',
    app.domains.join(' '),
  ]
}

/** What runs as it was seen, how long ago, and why when it is not simply running. */
function seenText({ state, reason, age_seconds }: ObservedDocument): string {
  const age = age_seconds === null ? '' : `, ${age_seconds} s ago`
  return `${state}${age}${reason === null ? '' : `: ${inertLine(reason, 80)}`}`
}

/** Nothing when everything is as the last deployment left it. */
function driftText({ state, reason, findings }: DriftSummary): string[] {
  const more = findings > 1 ? ` and ${findings - 1} more` : ''
  const word = state === 'given-up' ? 'DRIFTED, REPAIR GIVEN UP' : 'DRIFTED'
  return findings === 0 ? [] : [`${word}: ${inertLine(reason ?? '', 80)}${more}`]
}

/** `0 4 * * 1 Europe/Helsinki, next 2026-11-23T02:00:00.000Z` */
export function scheduleText({ cron, time_zone, next }: NonNullable<AppDocument['schedule']>): string {
  return `${inertLine(cron)} ${inertLine(time_zone)}, next ${next ?? 'never'}`
}

export function deploymentRow(deployment: DeploymentDocument, now: number): string[] {
  const failed = deployment.failed_step === null ? '' : ` in ${deployment.failed_step}`
  const subject = inertLine(deployment.commit_subject ?? '', 40)
  return [
    deployment.id,
    deployment.app,
    `${deployment.state}${failed}`,
    `${deployment.commit?.slice(0, 12) ?? '-'} ${subject}`,
    deployment.trigger.kind,
    ago(deployment.created_at, now),
  ]
}
