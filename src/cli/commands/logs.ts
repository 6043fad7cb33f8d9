import type { Command } from 'commander'
import { chooseApp } from '#cli/choose-app.ts'
import type { StreamedEvent } from '#cli/client.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { NOTHING_DEPLOYED } from '#cli/errors.ts'
import { EXIT, exitCodeOfEnd } from '#cli/exit-codes.ts'
import { hasEnded } from '#cli/has-ended.ts'
import { inertLine } from '#cli/inert.ts'
import type { Page } from '#cli/page.ts'
import type { Session } from '#cli/session.ts'
import { failureLines } from '#cli/step-lines.ts'
import type { DeploymentDetail, DeploymentDocument, LogLineDocument } from '#contract/rest/deployments.ts'
import { FairleadError, type WireError } from '#lib/errors.ts'

interface Options {
  readonly follow?: boolean
  readonly deployment?: boolean
  readonly step?: string
  readonly service?: string
  readonly tail: number
}

type Line = Pick<LogLineDocument, 'at' | 'step' | 'text'> & Partial<LogLineDocument>

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
const STEP_WIDTH = 9
const LONGEST_LINE = 4_000

export function configureLogs(command: Command, act: Act): void {
  command
    .argument('[app-or-deployment]', 'an app: what it prints; the id of a deployment: what it did')
    .option('-f, --follow', 'stay and show what comes; the end of a deployment decides about the exit code')
    .option('-d, --deployment', 'the newest deployment of the app instead of what the app prints')
    .option('--step <name>', 'only the lines of one step of the deployment, such as build')
    .option('--service <name>', 'only one service of a Compose app')
    .option('-n, --tail <lines>', 'how many lines of the app to begin with', Number, 200)
    .action(act(logs))
  withExamples(command, [
    ['fairlead logs -f shop', 'what the app prints, live'],
    ['fairlead logs -f --deployment shop', 'its newest deployment, to its end'],
    ['fairlead logs 0199… --step build', 'what the build of a deployment said'],
    ['fairlead logs shop --json', 'one JSON object per line'],
  ])
}

async function logs(session: Session, named: string | undefined, options: Options): Promise<number> {
  if (named !== undefined && ID.test(named)) {
    return await deploymentLog(session, named, options)
  }
  const app = await chooseApp(session.client, named)
  if (options.deployment === true || options.step !== undefined) {
    return await deploymentLog(session, await newestDeployment(session, app), options)
  }
  return await appLog(session, app, options)
}

async function newestDeployment({ client }: Session, app: string): Promise<string> {
  const { items } = await client.get<Page<DeploymentDocument>>(`/deployments?app=${app}&limit=1`)
  const [newest] = items
  if (!newest) {
    throw NOTHING_DEPLOYED(app)
  }
  return newest.id
}

async function appLog(session: Session, app: string, { follow, tail, service }: Options): Promise<number> {
  const only = service === undefined ? '' : `&service=${encodeURIComponent(service)}`
  const path = `/apps/${app}/logs?tail=${tail}&follow=${follow === true}${only}`
  for await (const event of session.client.events(path, session.signal)) {
    refuseBadEnd(event)
    const { text } = event.data as LogLineDocument
    if (typeof text === 'string') {
      session.printer.entry(inertLine(text, LONGEST_LINE), event.data)
    }
  }
  return EXIT.ok
}

async function deploymentLog(session: Session, id: string, options: Options): Promise<number> {
  const { client, printer, signal } = session
  const runs = !hasEnded(await client.get<DeploymentDetail>(`/deployments/${id}`))
  const lines = runs && options.follow !== true ? linesSoFar(session, id) : linesOf(session, id)
  for await (const line of lines) {
    show(session, line, options)
  }
  signal.throwIfAborted()
  if (options.follow !== true || !runs) {
    return EXIT.ok
  }
  const ended = await client.get<DeploymentDetail>(`/deployments/${id}`)
  if (ended.state === 'succeeded') {
    printer.note(printer.colour.green(`${ended.app}: ${ended.outcome ?? ended.state}`))
    return EXIT.ok
  }
  failureLines(ended, [], printer.colour).forEach(printer.note)
  return exitCodeOfEnd(ended)
}

/** Until the deployment ends. */
async function* linesOf({ client, signal }: Session, id: string): AsyncGenerator<Line> {
  for await (const event of client.events(`/deployments/${id}/log`, signal)) {
    if (event.event === 'end') {
      return
    }
    yield event.data as LogLineDocument
  }
}

/** What there is now of a deployment that goes on. */
async function* linesSoFar({ client }: Session, id: string): AsyncGenerator<Line> {
  for (const line of (await client.text(`/deployments/${id}/log`)).split('\n')) {
    const [, at, step, text] = /^(\S+) (\S*) *(.*)$/.exec(line) ?? []
    if (at !== undefined && step !== undefined && text !== undefined) {
      yield { at, step, text }
    }
  }
}

function show({ printer }: Session, line: Line, { step }: Options): void {
  if (step !== undefined && line.step !== step) {
    return
  }
  const { colour } = printer
  const text = inertLine(line.text, LONGEST_LINE)
  const place = colour.dim(inertLine(line.step).padEnd(STEP_WIDTH))
  printer.entry(`${place} ${line.stream === 'info' ? colour.cyan(text) : text}`, line)
}

function refuseBadEnd({ event, data }: StreamedEvent): void {
  const { error } = data as { error?: WireError }
  if (event === 'end' && error) {
    throw new FairleadError(error)
  }
}
