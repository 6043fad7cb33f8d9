import { type Command, Option } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import { NOTHING_TO_SET } from '#cli/errors.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type {
  NewOrganisation,
  OrganisationChange,
  OrganisationCheckDocument,
  OrganisationDocument,
} from '#contract/rest/organisations.ts'

interface Options {
  readonly gitTokenFile?: string
  readonly ca?: string
  readonly host?: string
  readonly discover?: boolean
  readonly marker?: 'topic' | 'file'
}

interface AddOptions extends Options {
  readonly gitHost: NewOrganisation['git_host']
  readonly server?: string
  readonly owner?: string
}

export function configureOrganisations(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all organisations').action(act(list))
  withOptions(
    command
      .command('add')
      .description('allows the repositories of an organisation; from then on only what is listed is allowed')
      .argument('<name>', 'how it is called here')
      .addOption(
        new Option('--git-host <kind>', 'where it is')
          .choices(['github', 'gitlab', 'gitea', 'forgejo'])
          .default('github'),
      )
      .option('--server <host>', 'host or host:port of a Git server of your own')
      .option('--owner <path>', 'its login or path there; default: the name'),
  ).action(act(add))
  withOptions(
    command.command('set').description('changes an organisation').argument('<organisation>'),
  ).action(act(set))
  command
    .command('check')
    .description('lists its repositories now, and registers those that want it')
    .argument('<organisation>')
    .action(act(check))
  command
    .command('remove')
    .description('takes it off the list: nothing of it is deployed any more, what runs goes on')
    .argument('<organisation>')
    .action(act(remove))
  withExamples(command, [
    [
      'fairlead organisations add acme --git-token-file token',
      'repositories of github.com/acme may be registered',
    ],
    ['fairlead organisations set acme --discover', 'those with the topic "fairlead" come by themselves'],
    ['fairlead organisations check acme', 'what became of each of its repositories, and why'],
    [
      'fairlead organisations add team --git-host gitea --server git.example.org --marker file',
      'a server of your own, repositories with a fairlead.yaml',
    ],
  ])
}

function withOptions(command: Command): Command {
  return command
    .option('--git-token-file <file>', 'file with a token that may read its repositories')
    .option('--ca <file>', 'certificate of the authority of a Git server of your own')
    .option('--host <name>', 'the host that reads and runs what is found; default: the only one')
    .option('--discover', 'register repositories that carry the marker by themselves')
    .option('--no-discover', 'only what is registered by hand')
    .addOption(
      new Option('--marker <what>', 'topic "fairlead", or file fairlead.yaml').choices(['topic', 'file']),
    )
}

async function list({ client, printer, clock }: Session): Promise<void> {
  const answer = await client.get<{ items: OrganisationDocument[] }>('/organisations')
  printer.answer(answer)
  printer.table(
    ['organisation', 'where', 'discovery', 'repositories', 'listed', 'problem'],
    answer.items.map(each => [
      each.name,
      `${each.server}/${each.owner}`,
      each.discovery ? each.marker : 'off',
      String(each.repositories),
      each.listed_at === null ? '-' : ago(each.listed_at, clock.now()),
      inertLine(each.problem?.message ?? '', 160),
    ]),
  )
}

async function add({ client, printer }: Session, name: string, options: AddOptions): Promise<void> {
  const { gitHost, server, owner } = options
  const body: NewOrganisation = {
    name,
    git_host: gitHost,
    ...(server === undefined ? {} : { server }),
    ...(owner === undefined ? {} : { owner }),
    ...common(options),
  }
  const organisation = await client.send<OrganisationDocument>('POST', '/organisations', body)
  printer.answer(organisation)
  printer.line(
    `Repositories of ${organisation.server}/${organisation.owner} (id ${organisation.remote_id}) may be registered; others only if they are listed too.`,
  )
  printer.line(`See what it has with "fairlead organisations check ${name}".`)
}

async function set({ client, printer }: Session, name: string, options: Options): Promise<void> {
  const change: OrganisationChange = common(options)
  if (Object.keys(change).length === 0) {
    throw NOTHING_TO_SET(name)
  }
  const path = `/organisations/${encodeURIComponent(name)}`
  const organisation = await client.send<OrganisationDocument>('PATCH', path, change)
  printer.answer(organisation)
  printer.line(`${name}: discovery ${organisation.discovery ? `by ${organisation.marker}` : 'off'}`)
}

async function check({ client, printer }: Session, name: string): Promise<void> {
  const path = `/organisations/${encodeURIComponent(name)}/check`
  const found = await client.send<OrganisationCheckDocument>('POST', path)
  printer.answer(found)
  printer.table(
    ['repository there', 'what became of it', 'called here'],
    found.repositories.map(each => [
      inertLine(each.path, 100),
      each.reason === undefined ? each.outcome : `${each.outcome}: ${inertLine(each.reason, 160)}`,
      each.repository ?? '',
    ]),
  )
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/organisations/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is off the list; what runs keeps running.`)
}

function common({ gitTokenFile, ca, host, discover, marker }: Options) {
  return {
    ...(gitTokenFile === undefined ? {} : { token: readFileText(gitTokenFile).trim() }),
    ...(ca === undefined ? {} : { ca: readFileText(ca) }),
    ...(host === undefined ? {} : { host }),
    ...(discover === undefined ? {} : { discovery: discover }),
    ...(marker === undefined ? {} : { marker }),
  }
}
