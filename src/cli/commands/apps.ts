import { type Command, Option } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { NOTHING_TO_SET } from '#cli/errors.ts'
import { EXIT } from '#cli/exit-codes.ts'
import { readList } from '#cli/page.ts'
import { reportDeployment } from '#cli/report-deployment.ts'
import { runningCommit } from '#cli/running-commit.ts'
import type { Session } from '#cli/session.ts'
import type { AppChange, AppDocument, NewApp } from '#contract/rest/apps.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { showApp } from './show-app.ts'
import { configureStop } from './stop-app.ts'

export function configureApps(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all apps').action(act(list))
  command
    .command('show')
    .description('one app with its releases and deployments')
    .argument('<app>')
    .action(act(showApp))
  command
    .command('add')
    .description('creates an app by hand; most come by themselves with their repository')
    .argument('<app>', 'its name')
    .requiredOption('--repository <name>', 'where it comes from')
    .option('--entry <name>', "its name in the deploy file; default: the app's own")
    .option('--host <name>', 'where it runs; default: the host that reads the repository')
    .option('--engine <name>', 'which Docker engine of the host, by name or as key=value of a label')
    .action(act(add))
  command
    .command('set')
    .description('changes settings of an app; they hold from the next deployment on')
    .argument('<app>')
    .addOption(
      new Option('--approval <when>', 'whether deployments wait until their plan is approved').choices([
        'required',
        'by-deploy-file',
      ]),
    )
    .addOption(
      new Option('--drift <what>', 'what is done about changes by hand; holds at once').choices([
        'report',
        'repair',
        'by-deploy-file',
      ]),
    )
    .addOption(
      new Option('--badge <who>', 'whether strangers may see its badge').choices(['public', 'private']),
    )
    .option(
      '--engine <name>',
      'which Docker engine of its host: a name, key=value of a label, or by-deploy-file',
    )
    .action(act(set))
  command
    .command('badge')
    .description('prints the line of Markdown that shows its badge')
    .argument('<app>')
    .action(act(badge))
  command
    .command('owner')
    .description('hands an app over: who owns it may do with it what a maintainer may')
    .argument('<app>')
    .argument('[person]', 'e-mail address; left out: it is nobody’s')
    .action(act(handOver))
  command
    .command('resume')
    .description('ends a pause: deployments that were held start')
    .argument('<app>')
    .action(act(resume))
  configureStop(command, act)
  command
    .command('remove')
    .description('takes down what runs and forgets the app')
    .argument('<app>')
    .option('--volumes <what>', 'keep or delete its volumes', 'keep')
    .option('--forget', 'take nothing down: its host will not come back, or was revoked')
    .option('-w, --wait', 'show the steps and end with the removal')
    .action(act(remove))
  withExamples(command, [
    ['fairlead apps', 'lists all'],
    ['fairlead apps show shop', 'releases to roll back to'],
    ['fairlead apps set shop --approval required', 'every deployment waits for "fairlead approve"'],
    ['fairlead apps set shop --drift repair', 'what somebody changes by hand is made anew'],
    ['fairlead apps set shop --engine size=big', 'the next deployment moves it to such an engine'],
    ['fairlead apps badge shop', 'for a README'],
    ['fairlead apps owner shop grace@example.org', 'it is hers from now on'],
    ['fairlead apps resume shop', 'after it was paused for being deployed again and again'],
    ['fairlead apps stop shop --wait', 'nothing of it runs until "fairlead apps start shop"'],
    ['fairlead apps remove shop --wait', 'containers, routes and networks; volumes stay'],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const apps = await readList<AppDocument>(client, '/apps')
  printer.answer({ items: apps })
  printer.table(
    ['app', 'target', 'repository', 'host', 'release', 'domains'],
    apps.map(app => [
      app.name,
      app.target,
      app.repository ?? '-',
      app.host,
      runningCommit(app.release),
      app.domains.join(' '),
    ]),
  )
}

async function add(
  { client, printer }: Session,
  name: string,
  options: Omit<NewApp, 'name' | 'overrides' | 'engine'> & { readonly engine?: string },
): Promise<void> {
  const { repository, entry, host, engine } = options
  const body: NewApp = {
    name,
    repository,
    ...(entry ? { entry } : {}),
    ...(host ? { host } : {}),
    ...(engine ? { engine: engineWish(engine) } : {}),
  }
  const app = await client.send<AppDocument>('POST', '/apps', body)
  printer.answer(app)
  printer.line(`${app.name} is there. Deploy it with "fairlead deploy ${app.name} --wait".`)
}

/** `build1`, or `size=big` for a label. */
function engineWish(text: string): NonNullable<NewApp['engine']> {
  const at = text.indexOf('=')
  return at < 0 ? text : { [text.slice(0, at)]: text.slice(at + 1) }
}

interface Settings extends Omit<AppChange, 'engine'> {
  readonly engine?: string
}

async function set({ client, printer }: Session, name: string, settings: Settings): Promise<void> {
  if (Object.keys(settings).length === 0) {
    throw NOTHING_TO_SET(name)
  }
  const { engine, ...others } = settings
  const wish = engine === 'by-deploy-file' ? null : engine && engineWish(engine)
  const change: AppChange = { ...others, ...(wish === undefined ? {} : { engine: wish || null }) }
  const app = await client.send<AppDocument>('PATCH', `/apps/${encodeURIComponent(name)}`, change)
  printer.answer(app)
  printer.line(`${app.name}: approval ${app.approval}, drift ${app.drift.policy}, badge ${app.badge.shown}`)
}

async function handOver({ client, printer }: Session, name: string, person?: string): Promise<void> {
  const path = `/apps/${encodeURIComponent(name)}/owner`
  const app = await client.send<AppDocument>('PUT', path, { owner: person ?? null })
  printer.answer(app)
  printer.line(`${app.name} is ${app.owner === null ? 'nobody’s' : `${app.owner}’s`}.`)
}

async function badge({ client, printer }: Session, name: string): Promise<void> {
  const app = await client.get<AppDocument>(`/apps/${encodeURIComponent(name)}`)
  printer.answer(app.badge)
  printer.line(app.badge.markdown)
  if (app.badge.shown === 'private') {
    printer.line(`It says "unknown" until you allow more: fairlead apps set ${app.name} --badge public`)
  }
}

async function resume({ client, printer }: Session, name: string): Promise<void> {
  const app = await client.send<AppDocument>('POST', `/apps/${encodeURIComponent(name)}/resume`)
  printer.answer(app)
  printer.line(`${app.name} is not paused; what was queued starts.`)
}

async function remove(
  session: Session,
  name: string,
  options: { readonly volumes: string; readonly forget?: boolean; readonly wait?: boolean },
): Promise<number> {
  const query = new URLSearchParams({ volumes: options.volumes, ...(options.forget && { forget: 'true' }) })
  const path = `/apps/${encodeURIComponent(name)}?${query}`
  const deployment = await session.client.send<DeploymentDocument | undefined>('DELETE', path)
  if (deployment) {
    return await reportDeployment(session, deployment, options)
  }
  session.printer.answer({ removed: name })
  session.printer.line(
    `${name} is forgotten; ${options.forget ? 'what ran of it was not taken down' : 'nothing of it ever ran'}.`,
  )
  return EXIT.ok
}
