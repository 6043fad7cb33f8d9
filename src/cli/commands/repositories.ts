import { Argument, type Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import {
  type CredentialOptions,
  readCredential,
  readFileText,
  withCredentialOptions,
} from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import { EXIT } from '#cli/exit-codes.ts'
import { awaitFirstLook, tellFirstLook } from '#cli/first-look.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import { configureRemovals } from '#cli/removals.ts'
import { configureReport } from '#cli/report.ts'
import { configureSet } from '#cli/repository-change.ts'
import type { Session } from '#cli/session.ts'
import type {
  NewRepository,
  RepositoryChange,
  RepositoryCheckDocument,
  RepositoryDocument,
  WebhookSecretBody,
  WebhookSecretDocument,
} from '#contract/rest/repositories.ts'

interface AddOptions extends CredentialOptions {
  readonly branch?: string
  readonly host?: string
  readonly poll?: number
  readonly composePath?: string
  readonly autoApps: boolean
}

interface WebhookOptions {
  readonly gitHost?: string
  readonly secretFile?: string
  readonly revokeOld?: true
}

export function configureRepositories(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all repositories').action(act(list))
  configureAdd(command.command('add'), act)
  configureSet(command.command('set'), act)
  command
    .command('check')
    .description('can it be read, and which apps does it describe')
    .argument('<repository>')
    .action(act(check))
  command
    .command('webhook')
    .description('makes a new webhook secret and shows it once')
    .argument('<repository>')
    .option('--git-host <name>', 'who sends: github, gitlab, gitea … as docs/webhooks.md lists them')
    .option('--secret-file <file>', 'take this secret, which the Git host made, instead of a new one')
    .option('--revoke-old', 'the secret before is refused from now on, instead of after a day')
    .action(act(webhook))
  command
    .command('actions')
    .description('whether messages of commits may say what is done, such as [deploy-web]')
    .argument('<repository>')
    .addArgument(new Argument('<on|off|default>').choices(['on', 'off', 'default']))
    .action(act(actions))
  configureReport(command.command('report'), act)
  configureRemovals(command.command('removals'), act)
  command
    .command('remove')
    .description('forgets a repository that has no apps')
    .argument('<repository>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead repositories add site https://git.example.org/me/site.git', 'its apps are deployed at once'],
    [
      'fairlead repositories add web https://git.example.org/me/web.git --compose-path deploy/compose.yaml',
      'a Compose file anywhere in it',
    ],
    [
      'fairlead repositories set site --url https://git.example.org/us/site.git --branch stable',
      'it has moved; its apps stay as they are',
    ],
    ['fairlead repositories set site --username me --password-file token', 'it is read with a new token'],
    ['fairlead repositories check site', 'what a deployment would find'],
    ['fairlead repositories report site --token-file token', 'shows deployments at the commits'],
    ['fairlead repositories webhook site', 'address and secret for the Git host'],
    ['fairlead repositories webhook site --revoke-old', 'a new secret; the leaked one is refused at once'],
  ])
}

function configureAdd(command: Command, act: Act): void {
  command
    .description('registers a repository; the apps it describes are created and deployed')
    .argument('<name>', 'how it is called here')
    .argument('<url>', 'https://…, ssh://git@… or git@host:path, without a password in it')
    .option('--branch <name>', 'default: main')
    .option('--host <name>', 'the host that reads it; default: the only one')
  withCredentialOptions(command)
    .option('--poll <seconds>', 'how often to look without a webhook; 0 turns it off', Number)
    .option('--compose-path <path>', 'its one app is this Compose file; the repository needs no other file')
    .option('--no-auto-apps', 'do not create the apps that it describes')
    .action(act(add))
}

async function list({ client, printer, clock }: Session): Promise<void> {
  const repositories = await readList<RepositoryDocument>(client, '/repositories')
  printer.answer({ items: repositories })
  printer.table(
    ['repository', 'url', 'branch', 'host', 'newest', 'looked', 'webhook', 'problem'],
    repositories.map(repository => [
      repository.name,
      repository.url,
      repository.branch,
      repository.host,
      repository.last_tip?.slice(0, 12) ?? '-',
      repository.last_polled_at === null ? '-' : ago(repository.last_polled_at, clock.now()),
      webhookState(repository, clock.now()),
      problemOf(repository),
    ]),
  )
}

function problemOf({ problem, paused, webhook }: RepositoryDocument): string {
  if (problem) {
    return `${paused ? 'paused: ' : ''}${inertLine(problem.message, 160)}`
  }
  return webhook?.problem ? inertLine(webhook.problem.message, 160) : ''
}

/** When it told of something last, and what a person should know of its secrets. */
function webhookState({ webhook }: RepositoryDocument, now: number): string {
  if (!webhook) {
    return '-'
  }
  const { last_delivery_at: came, last_refused_at: refused } = webhook
  const isRefused = refused !== null && (came === null || refused > came)
  const notes = [
    came === null ? 'nothing yet' : ago(came, now),
    isRefused ? `refused ${ago(refused, now)}: ${webhook.last_refused_reason}` : '',
    webhook.last_verified_with === 'previous' ? 'with the previous secret' : '',
  ]
  return notes.filter(note => note !== '').join(', ')
}

async function add(session: Session, name: string, url: string, options: AddOptions): Promise<void> {
  const { client, printer } = session
  const credential = await readCredential(options)
  const body: NewRepository = {
    name,
    url,
    auto_apps: options.autoApps,
    ...(options.composePath === undefined ? {} : { compose_path: options.composePath }),
    ...(options.branch === undefined ? {} : { branch: options.branch }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.poll === undefined ? {} : { poll_seconds: options.poll as 0 }),
    ...(options.ca === undefined ? {} : { ca: readFileText(options.ca) }),
    ...(credential === undefined ? {} : { credential }),
  }
  const registered = await client.send<RepositoryDocument>('POST', '/repositories', body)
  const repository = await awaitFirstLook(session, registered)
  printer.answer(repository)
  printer.line(`${repository.name} is registered: ${repository.branch} of ${inertLine(repository.url)}`)
  await tellFirstLook(session, repository)
}

async function check({ client, printer }: Session, name: string): Promise<number> {
  const path = `/repositories/${encodeURIComponent(name)}/check`
  const found = await client.send<RepositoryCheckDocument>('POST', path)
  printer.answer(found)
  printer.line(`${name} can be read: ${found.commit.slice(0, 12)} ${inertLine(found.commit_subject, 60)}`)
  printer.table(
    ['app', 'target'],
    found.apps.map(app => [app.name, app.target]),
  )
  for (const { file, line, message } of found.problems ?? []) {
    const place = `${file ?? ''}${line === undefined ? '' : `:${line}`}`
    printer.note(printer.colour.yellow(`${inertLine(place, 300)} ${inertLine(message, 300)}`))
  }
  return EXIT.ok
}

async function actions(
  { client, printer }: Session,
  name: string,
  wanted: 'on' | 'off' | 'default',
): Promise<void> {
  const path = `/repositories/${encodeURIComponent(name)}`
  const body: RepositoryChange = { commit_actions: wanted === 'default' ? null : wanted === 'on' }
  const { commit_actions: isOn, ...rest } = await client.send<RepositoryDocument>('PATCH', path, body)
  printer.answer({ ...rest, commit_actions: isOn })
  printer.line(
    isOn
      ? `Messages of commits in ${name} say what is done: whoever may push may deploy and remove its apps with them.`
      : `Messages of commits in ${name} say nothing: what changed is deployed.`,
  )
}

async function webhook({ client, printer }: Session, name: string, options: WebhookOptions): Promise<void> {
  const path = `/repositories/${encodeURIComponent(name)}/webhook-secret`
  const body: WebhookSecretBody = {
    ...(options.gitHost === undefined ? {} : { git_host: options.gitHost }),
    ...(options.secretFile === undefined ? {} : { secret: readFileText(options.secretFile).trim() }),
    ...(options.revokeOld ? { keep_previous_seconds: 0 } : {}),
  }
  const hook = await client.send<WebhookSecretDocument>('POST', path, body)
  printer.answer(hook)
  printer.line(`Address: ${hook.url}`)
  printer.line(`Secret:  ${hook.secret}   (shown this once)`)
  printer.line(`Sender:  ${hook.git_host}`)
  for (const [index, step] of hook.setup.entries()) {
    printer.line(`  ${index + 1}. ${step}`)
  }
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/repositories/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is forgotten.`)
}
