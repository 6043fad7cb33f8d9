import { ago } from '#cli/duration.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import { runningCommit } from '#cli/running-commit.ts'
import type { Session } from '#cli/session.ts'
import type { AppDocument, ReleaseDocument } from '#contract/rest/apps.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { DriftDocument } from '#contract/rest/drift.ts'
import { deploymentRow, scheduleText } from './status.ts'

/** `fairlead apps show`: how an app is set and does, its drift, releases and last deployments. */
export async function showApp({ client, printer, clock }: Session, name: string): Promise<void> {
  const path = `/apps/${encodeURIComponent(name)}`
  const [app, drift, releases, deployments] = await Promise.all([
    client.get<AppDocument>(path),
    client.get<DriftDocument>(`${path}/drift`),
    readList<ReleaseDocument>(client, `${path}/releases`, 10),
    readList<DeploymentDocument>(client, `/deployments?app=${encodeURIComponent(name)}`, 10),
  ])
  printer.answer({ app, drift, releases, deployments })
  const { colour } = printer
  printer.line(
    `${colour.bold(app.name)}  ${app.target} on ${placeText(app)}, from ${app.repository ?? 'nowhere'}`,
  )
  if (app.approval === 'required') {
    printer.line('  deployments wait for an approval')
  }
  if (app.paused) {
    printer.line(
      colour.yellow(`  PAUSED: ${app.paused.reason}; end it with "fairlead apps resume ${app.name}"`),
    )
  }
  if (app.stopped) {
    const { by } = app.stopped
    printer.line(colour.yellow(`  STOPPED by ${by}; start it with "fairlead apps start ${app.name}"`))
  }
  if (app.schedule) {
    printer.line(`  deployed by itself: ${scheduleText(app.schedule)}`)
  }
  for (const address of app.addresses) {
    printer.line(`  ${address}`)
  }
  if (drift.findings.length > 0) {
    const policy = drift.state === 'given-up' ? 'repairing did not help and was given up' : drift.policy
    printer.line(`\n${colour.bold('Drift')}  ${policy}`)
    printer.table(
      ['kind', 'what', 'since'],
      drift.findings.map(each => [each.kind, inertLine(each.reason, 120), ago(each.since, clock.now())]),
    )
  }
  printer.line(`\n${colour.bold('Releases')}`)
  printer.table(
    ['release', 'commit', 'also', 'made'],
    releases.map(release => [
      release.id,
      release.commit.slice(0, 12),
      release.confirmed ? runningCommit(release) : '',
      release.created_at,
    ]),
  )
  printer.line(`\n${colour.bold('Deployments')}`)
  printer.table(
    ['deployment', 'app', 'state', 'commit', 'by', 'when'],
    deployments.map(deployment => deploymentRow(deployment, clock.now())),
  )
}

/** With the engine where it is not the host's own. */
function placeText({ host, engine }: AppDocument): string {
  return engine === 'local' ? host : `${host} (engine ${engine})`
}
