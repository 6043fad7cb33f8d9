import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { ago } from '#cli/duration.ts'
import type { Session } from '#cli/session.ts'
import type { MadeToken, TokenDocument } from '#contract/rest/tokens.ts'

interface AddOptions {
  readonly scope: readonly string[]
  readonly days?: string
  readonly role: string
  readonly project?: string
}

export function configureTokens(command: Command, act: Act): void {
  const collect = (value: string, before: readonly string[]) => [...before, value]
  command.command('list', { isDefault: true }).description('lists tokens').action(act(list))
  command
    .command('add')
    .description('makes the token of a machine and prints it, this once')
    .argument('<name>', 'what it is for')
    .requiredOption('--role <role>', 'viewer, deployer, maintainer or admin')
    .option('--project <name>', 'the role holds in this project alone')
    .option('--scope <scope>', 'read, deploy, maintain or admin; several times for several', collect, [])
    .option('--days <number>', 'how long it holds; default: until it is removed')
    .action(act(add))
  command
    .command('remove')
    .description('removes a token; it opens nothing from then on')
    .argument('<id>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead tokens add dashboard --role viewer --days 90', 'sees everything, changes nothing'],
    ['fairlead tokens add robot --role deployer --project shop', 'deploys what is in one project'],
    ['fairlead tokens', 'who has one, and when it was used last'],
  ])
}

async function list({ client, printer, clock }: Session): Promise<void> {
  const answer = await client.get<{ items: TokenDocument[] }>('/tokens')
  printer.answer(answer)
  printer.table(
    ['id', 'name', 'of', 'may', 'ends', 'used'],
    answer.items.map(token => [
      token.id,
      token.name,
      token.person ?? 'a machine',
      mayOf(token),
      token.expires_at ?? 'never',
      token.last_used_at === null ? 'never' : ago(token.last_used_at, clock.now()),
    ]),
  )
}

async function add({ client, printer }: Session, name: string, options: AddOptions): Promise<void> {
  const { scope, days, role, project } = options
  const made = await client.send<MadeToken>('POST', '/tokens', {
    name,
    days: days === undefined ? null : Number(days),
    machine: { role, ...(project === undefined ? {} : { project }) },
    ...(scope.length === 0 ? {} : { scopes: scope }),
  })
  printer.answer(made)
  printer.line(made.token)
}

async function remove({ client, printer }: Session, id: string): Promise<void> {
  await client.send('DELETE', `/tokens/${encodeURIComponent(id)}`)
  printer.answer({ removed: id })
  printer.line(`${id} opens nothing any more.`)
}

function mayOf({ role, project, scopes }: TokenDocument): string {
  const who = role === null ? 'as its person' : project === null ? role : `${role} in ${project}`
  return scopes === null ? who : `${who} (${scopes.join(', ')})`
}
