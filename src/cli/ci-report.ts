import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { CliConfig } from './config.ts'
import { inertLine } from './inert.ts'
import { durationOf } from './step-lines.ts'

/** Leaves what a GitHub job asks for in its files: outputs for later steps, and a summary on the page of the run. */
export function writeCiReport(
  { ci }: Pick<CliConfig, 'ci'>,
  deployment: DeploymentDetail,
  urls: readonly string[],
): void {
  if (ci?.outputFile !== undefined) {
    appendFileSync(ci.outputFile, outputLines({ ...facts(deployment), url: urls[0] ?? '' }))
  }
  if (ci?.summaryFile !== undefined) {
    appendFileSync(ci.summaryFile, summaryText(deployment, urls))
  }
}

function facts({ id, app, state, outcome, commit }: DeploymentDetail): Record<string, string> {
  return { deployment: id, app, state, outcome: outcome ?? '', commit: commit ?? '' }
}

/** With a delimiter that nobody can guess, so that no value ends early and begins another output. */
function outputLines(outputs: Readonly<Record<string, string>>): string {
  const end = `end-${randomUUID()}`
  return Object.entries(outputs)
    .map(([name, value]) => `${name}<<${end}\n${inertLine(value)}\n${end}\n`)
    .join('')
}

function summaryText(deployment: DeploymentDetail, urls: readonly string[]): string {
  const { app, state, outcome, commit, commit_subject: subject, error, steps } = deployment
  const of = commit === null ? '' : ` of \`${commit.slice(0, 12)}\` ${literal(subject ?? '')}`
  const reason = error === null ? [] : [literal(error.message), literal(error.hint)]
  return [
    `### Fairlead: ${literal(app)} ${literal(outcome ?? state)}`,
    `Deployment \`${deployment.id}\`${of}`,
    ...reason.filter(text => text !== ''),
    urls.map(url => `- ${url}`).join('\n'),
    ['| step | state | took |', '| --- | --- | --- |', ...steps.map(stepRow)].join('\n'),
  ]
    .filter(part => part !== '')
    .map(part => `${part}\n\n`)
    .join('')
}

function stepRow(step: DeploymentDetail['steps'][number]): string {
  return `| ${literal(step.name)} | ${step.state} | ${durationOf(step, 0)} |`
}

/** Text as Markdown shows it: no link, no image, no markup of its own. */
function literal(text: string): string {
  return inertLine(text, 1_000).replace(
    /[\\`*_{}[\]()<>#+!|~@&:]/g,
    character => `&#${character.charCodeAt(0)};`,
  )
}
