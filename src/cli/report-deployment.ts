import { writeFileSync } from 'node:fs'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { ResultDocument } from '#contract/rest/result.ts'
import { writeCiReport } from './ci-report.ts'
import { inWords } from './duration.ts'
import { EXIT, exitCodeOfEnd } from './exit-codes.ts'
import { followDeployment } from './follow-deployment.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { isWaiting, waitingLines } from './waiting-plan.ts'

export interface WaitOptions {
  readonly wait?: boolean
  /** In ms; default as long as it takes. */
  readonly timeout?: number
  /** File for the result. */
  readonly result?: string
}

/** Says that a deployment was asked for and, with `wait`, shows it to its end; gives the exit code. */
export async function reportDeployment(
  session: Session,
  deployment: DeploymentDocument,
  options: WaitOptions,
): Promise<number> {
  const { printer } = session
  if (options.wait !== true) {
    printer.answer(deployment)
    printer.line(`${deployment.app}: deployment ${deployment.id} is ${deployment.state}`)
    printer.line(printer.colour.dim(`follow it with "fairlead logs -f ${deployment.id}"`))
    return EXIT.ok
  }
  printer.note(printer.colour.dim(`${deployment.app}: deployment ${deployment.id}`))
  const ended = await followOrTell(session, deployment, options)
  await writeResult(session, ended, options.result)
  reportToCi(session, ended)
  printer.answer(ended)
  if (isWaiting(ended)) {
    waitingLines(ended, printer.colour).forEach(printer.line)
    printer.line(
      `It waits for an approval: "fairlead approve ${ended.id}", or "fairlead cancel ${ended.id}".`,
    )
    return EXIT.waiting
  }
  if (ended.held) {
    printer.line(
      `${ended.app} is paused; the deployment waits for a person: "fairlead apps resume ${ended.app}", or "fairlead cancel ${ended.id}".`,
    )
    return EXIT.waiting
  }
  if (ended.state !== 'succeeded') {
    return exitCodeOfEnd(ended)
  }
  printer.line(successLine(ended))
  for (const answer of answersOf(ended)) {
    printer.line(`  ${answer}`)
  }
  for (const warning of [...lateCertificates(ended), ...stepsLeftOut(ended)]) {
    printer.note(printer.colour.yellow(warning))
  }
  return EXIT.ok
}

/** Also of a deployment that failed: that is when somebody looks into the file. */
async function writeResult(
  { client, printer }: Session,
  { id }: DeploymentDetail,
  file: string | undefined,
): Promise<void> {
  if (file === undefined) {
    return
  }
  try {
    const result = await client.get<ResultDocument>(`/deployments/${id}/result.json`)
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
    printer.note(printer.colour.dim(`written: ${file}`))
  } catch (error) {
    printer.note(`warning: ${file} was not written: ${(error as Error).message}`)
  }
}

function reportToCi({ config, printer }: Session, deployment: DeploymentDetail): void {
  try {
    writeCiReport(config, deployment, urlsOf(deployment))
  } catch (error) {
    printer.note(`warning: the summary for the CI job was not written: ${(error as Error).message}`)
  }
}

async function followOrTell(
  session: Session,
  { id }: DeploymentDocument,
  { timeout }: WaitOptions,
): Promise<DeploymentDetail> {
  try {
    return await followDeployment(session, id, timeout === undefined ? {} : { withinMs: timeout })
  } catch (error) {
    if (session.signal.aborted) {
      session.printer.note(`The deployment goes on. Stop it with "fairlead cancel ${id}".`)
    }
    throw error
  }
}

function successLine({
  app,
  outcome,
  commit,
  commit_subject,
  started_at,
  finished_at,
}: DeploymentDetail): string {
  const took =
    started_at && finished_at ? ` in ${inWords(Date.parse(finished_at) - Date.parse(started_at))}` : ''
  const what = commit === null ? '' : ` at ${commit.slice(0, 12)} ${inertLine(commit_subject ?? '', 60)}`
  return `${app}: ${outcome ?? 'succeeded'}${took}${what}`.trimEnd()
}

/** How each host name was seen to answer, in the evidence of a deployment: `shop.example.org answers: http 200`. */
export function answersOf(deployment: DeploymentDetail): string[] {
  return [...seenAnswers(deployment)].map(([host, answers]) => `${host} answers: ${[...answers].join(', ')}`)
}

/** Where those names are visited. */
function urlsOf(deployment: DeploymentDetail): string[] {
  return [...seenAnswers(deployment)].map(([host, answers]) => {
    const isSecure = [...answers].some(answer => answer.startsWith('https '))
    return `${isSecure ? 'https' : 'http'}://${host}`
  })
}

function seenAnswers(deployment: DeploymentDetail): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  visit(deployment.evidence, ({ host, scheme, status }) => {
    if (typeof host === 'string' && typeof scheme === 'string' && typeof status === 'number') {
      const name = inertLine(host, 253)
      found.set(name, (found.get(name) ?? new Set()).add(`${inertLine(scheme)} ${status}`))
    }
  })
  return found
}

/** Public names over HTTPS that nobody saw answer, in the evidence of a deployment. */
export function lateCertificates(deployment: DeploymentDetail): string[] {
  const found: string[] = []
  visit(deployment.evidence, ({ host, ready, problem }) => {
    if (typeof host === 'string' && ready === false) {
      const why = typeof problem === 'string' ? `: ${inertLine(problem, 200)}` : ''
      found.push(
        `warning: https://${inertLine(host, 253)} has no certificate yet${why}`,
        '  let the name lead to this host and ports 80 and 443 through; the proxy goes on asking for it',
      )
    }
  })
  return found
}

/** What went wrong beside what the deployment was for. */
function stepsLeftOut({ steps }: DeploymentDetail): string[] {
  return steps.flatMap(({ name, state, error }) =>
    state === 'failed' && error
      ? [`warning: ${name}: ${inertLine(error.message, 300)}`, `  ${inertLine(error.hint, 300)}`]
      : [],
  )
}

function visit(value: unknown, look: (object: Record<string, unknown>) => void): void {
  if (typeof value === 'object' && value !== null) {
    look(value as Record<string, unknown>)
    for (const inner of Object.values(value)) {
      visit(inner, look)
    }
  }
}
