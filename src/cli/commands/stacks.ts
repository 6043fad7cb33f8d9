import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { showDefinitions } from '#cli/definitions.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import { STACK_OPTION_MALFORMED, STACK_WITHOUT_FILE } from '#cli/stack-errors.ts'
import { noteUnread, queryOf } from '#cli/stack-places.ts'
import type {
  NewStack,
  StackChange,
  StackDocument,
  StackList,
  WrittenStackDocument,
} from '#contract/rest/stacks.ts'
import { engineOfSuffix } from '#deploy-file/stack-place.ts'

type PlaceOptions = Readonly<Partial<Record<'repository' | 'engine', string>>>

interface ChangeOptions extends PlaceOptions {
  readonly repo?: string
  readonly set: Readonly<Record<string, string>>
  readonly unset: readonly string[]
  readonly enable?: boolean
  readonly disable?: boolean
}

export function configureStacks(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('what runs in the swarm, and what the repositories say')
    .option('--repository <name>', 'only those that this one describes')
    .action(act(list))
  command
    .command('definitions')
    .description('what stacks can be made of, and with which options')
    .argument('[definition]', 'shows the options of this one')
    .option('--repository <name>', 'only those of this one')
    .action(act(showDefinitions))
  withPlace(command.command('add'))
    .description('writes a new stack into the repository of its definition; that push deploys it')
    .argument('<definition>')
    .argument('<stack>', 'how it is called')
    .option(
      '--repo <name>',
      'the Compose file is in another repository: the one of the file repo.<name>.json',
    )
    .option('--set <name=value>', 'an option; may be given again', collect, {})
    .option('--disable', 'write it down, but do not run it')
    .action(act(add))
  withPlace(command.command('set'))
    .description('changes options of a stack in its repository; that push deploys it')
    .argument('<stack>')
    .option('--set <name=value>', 'an option; may be given again', collect, {})
    .option('--unset <name>', 'back to what the definition says; may be given again', append, [])
    .option('--enable', 'run it')
    .option('--disable', 'remove what runs, and keep the file')
    .action(act(change))
  withPlace(command.command('remove'))
    .description('removes the file of a stack from its repository; that push removes what runs, volumes stay')
    .argument('<stack>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead stacks definitions website', 'which options it has'],
    ['fairlead stacks add website docs --set DOMAIN=docs.example.org', 'one commit, and it is deployed'],
    ['fairlead stacks set docs --set REPLICAS=3', 'the other options stay'],
    ['fairlead stacks remove docs', 'volumes stay'],
  ])
}

function withPlace(command: Command): Command {
  return command
    .option('--repository <name>', 'where several have one of that name')
    .option('--engine <name>', 'the engine that it is for; local: the one whose file names none')
}

function collect(text: string, all: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw STACK_OPTION_MALFORMED(text)
  }
  return { ...all, [name]: value }
}

function append(text: string, all: readonly string[]): string[] {
  return [...all, text]
}

async function list({ client, printer }: Session, { repository }: PlaceOptions): Promise<void> {
  const found = await client.get<StackList>(`/stacks${queryOf({ repository, fresh: 'true' })}`)
  printer.answer(found)
  printer.table(
    ['stack', 'definition', 'repository', 'services', 'state'],
    found.items.map(stack => [
      stack.stack,
      stack.config?.stackDefinition ?? '-',
      stack.config?.repository ?? '-',
      stack.services
        .map(({ name, running, replicas }) => `${name} ${running}/${replicas ?? 'each'}`)
        .join(', '),
      stateOf(stack),
    ]),
  )
  noteUnread(printer, found)
  for (const { host, engine, error } of found.unseen) {
    printer.note(
      printer.colour.yellow(
        `${host}${engine === null ? '' : ` (${engine})`}: ${inertLine(error.message, 300)}`,
      ),
    )
  }
}

function stateOf({ config, services }: StackDocument): string {
  const problem = config?.problems?.[0]?.message ?? services.find(each => each.problem !== null)?.problem
  if (problem) {
    return inertLine(problem, 120)
  }
  if (config && !config.enabled) {
    return services.length > 0 ? 'being removed' : 'off'
  }
  return services.length > 0 ? 'runs' : 'does not run'
}

async function add(
  session: Session,
  stackDefinition: string,
  stack: string,
  { set, disable, ...place }: ChangeOptions,
): Promise<void> {
  const body: NewStack = { ...place, stackDefinition, stack, options: set, enabled: disable !== true }
  tellWritten(session, await session.client.send<WrittenStackDocument>('POST', '/stacks', body))
}

/** What is not named stays: the manager wants all options, and says so when somebody else changed them meanwhile. */
async function change(session: Session, stack: string, options: ChangeOptions): Promise<void> {
  const { set, unset, enable, disable, ...place } = options
  const { client } = session
  const { items } = await client.get<StackList>(
    `/stacks${queryOf({ repository: place.repository, fresh: 'true' })}`,
  )
  const config = items.find(
    each =>
      each.stack === stack &&
      each.config &&
      (place.engine === undefined || (each.engine ?? 'local') === engineOfSuffix(place.engine)),
  )?.config
  if (!config) {
    throw STACK_WITHOUT_FILE(stack, place.engine)
  }
  const kept = Object.entries(config.options).filter(([name]) => !unset.includes(name))
  const body: StackChange = {
    options: { ...Object.fromEntries(kept), ...set },
    enabled: enable === true || (disable !== true && config.enabled),
  }
  const path = `/stacks/${encodeURIComponent(stack)}${queryOf({ ...place, repository: config.repository })}`
  const seen = { 'if-match': `"${config.version}"` }
  tellWritten(session, await client.send<WrittenStackDocument>('PUT', path, body, seen))
}

async function remove(session: Session, stack: string, place: PlaceOptions): Promise<void> {
  const path = `/stacks/${encodeURIComponent(stack)}${queryOf(place)}`
  tellWritten(session, await session.client.send<WrittenStackDocument>('DELETE', path))
}

function tellWritten({ printer }: Session, written: WrittenStackDocument): void {
  printer.answer(written)
  const { file, repository, commit, outcome } = written
  const what = outcome === 'pushed' ? `is pushed in ${commit.slice(0, 12)}` : 'needs no change'
  printer.line(`${inertLine(file)} of ${repository} ${what}`)
  for (const warning of written.warnings) {
    printer.note(printer.colour.yellow(inertLine(warning, 300)))
  }
  if (outcome === 'pushed') {
    printer.line('It is deployed from there: see "fairlead status".')
  }
}
