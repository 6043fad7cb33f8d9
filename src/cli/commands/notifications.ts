import { type Command, Option } from 'commander'
import { askHidden } from '#cli/ask-hidden.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import type { Session } from '#cli/session.ts'
import {
  CHANNEL_EVENTS,
  type ChangedChannelDocument,
  type ChannelChange,
  type ChannelDocument,
  type ChannelEvent,
  type ChannelTestDocument,
  type TargetBody,
} from '#contract/rest/notifications.ts'

interface Filters {
  readonly events?: string
  readonly apps?: string
}

interface AddOptions extends Filters {
  readonly smtp?: string
  readonly security?: 'starttls' | 'tls' | 'none'
  readonly username?: string
  readonly passwordFile?: string
  readonly ca?: string
  readonly from?: string
}

export function configureNotifications(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all channels').action(act(list))
  const added = command
    .command('add')
    .description('tells people what happens; a webhook address or the one of a chat is asked for')
    .argument('<name>', 'how it is called here')
    .argument('<kind>', 'webhook, slack (also Mattermost, Discord) or email')
    .argument('[to...]', 'address of the webhook, or the recipients of mail')
  withFilters(added)
    .option('--smtp <server>', 'mail server, host or host:port')
    .addOption(
      new Option('--security <how>', 'how the mail server is spoken to; default: starttls').choices([
        'starttls',
        'tls',
        'none',
      ]),
    )
    .option('--username <name>', 'at the mail server; the password is asked for, or in --password-file')
    .option('--password-file <file>', 'file with the password')
    .option('--ca <file>', 'certificate of the authority of a mail server of your own')
    .option('--from <address>', 'sender of the mails')
    .action(act(add))
  withFilters(
    command.command('set').description('changes what a channel wants to hear of').argument('<name>'),
  )
    .addOption(new Option('--switch <state>', 'pauses it or goes on').choices(['on', 'off']))
    .action(act(set))
  command
    .command('test')
    .description('sends a test message and says how that went')
    .argument('<name>')
    .action(act(test))
  command
    .command('remove')
    .description('forgets a channel and what it has not sent yet')
    .argument('<name>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead notifications add team slack', 'asks for the address of the incoming webhook'],
    ['fairlead notifications add ops webhook https://ops.example.org/hook', 'signed; shows the secret once'],
    [
      'fairlead notifications add mail email ada@example.org --smtp mail.example.org --from fairlead@example.org',
      'with STARTTLS',
    ],
    ['fairlead notifications test team', 'a message now'],
  ])
}

function withFilters(command: Command): Command {
  return command
    .option('--events <list>', `of ${CHANNEL_EVENTS.join(', ')}; default: all but succeeded`)
    .option('--apps <list>', 'only these apps, separated by commas; "all" for all')
}

async function list({ client, printer, clock }: Session): Promise<void> {
  const channels = await readList<ChannelDocument>(client, '/notifications')
  printer.answer({ items: channels })
  printer.table(
    ['channel', 'kind', 'to', 'events', 'apps', 'sent', 'problem'],
    channels.map(channel => [
      channel.name,
      channel.on ? channel.kind : `${channel.kind} (off)`,
      inertLine(channel.to, 60),
      channel.events.join(' '),
      channel.apps?.join(' ') ?? 'all',
      channel.last_sent_at === null ? '-' : ago(channel.last_sent_at, clock.now()),
      inertLine(channel.problem?.message ?? '', 80),
    ]),
  )
}

async function add(
  { client, printer }: Session,
  name: string,
  kind: string,
  to: readonly string[],
  options: AddOptions,
): Promise<void> {
  const target = await targetFrom(kind, to, options)
  const channel = await client.send<ChangedChannelDocument>('POST', '/notifications', {
    name,
    target,
    ...filtersFrom(options),
  })
  printer.answer(channel)
  printer.line(`${channel.name} is told: ${channel.events.join(', ')}.`)
  if (channel.secret !== null) {
    printer.line(`Secret: ${channel.secret}   (shown this once; webhooks are signed with it)`)
  }
  printer.line(`Try it with "fairlead notifications test ${channel.name}".`)
}

/** Whatever does not fit is refused by the manager, in words. */
async function targetFrom(kind: string, to: readonly string[], options: AddOptions): Promise<unknown> {
  if (kind !== 'email') {
    const [url = await askHidden('Address of the webhook (not shown): ')] = to
    return { kind, url }
  }
  const [, host, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(options.smtp ?? '') ?? []
  const { security, username, from, ca } = options
  return {
    kind,
    host,
    to: [...to],
    from,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(security === undefined ? {} : { security }),
    ...(ca === undefined ? {} : { ca: readFileText(ca) }),
    ...(username === undefined ? {} : { username, password: await passwordFrom(username, options) }),
  } as Partial<TargetBody>
}

async function passwordFrom(username: string, { passwordFile }: AddOptions): Promise<string> {
  return passwordFile === undefined
    ? await askHidden(`Password of ${username} (not shown): `)
    : readFileText(passwordFile).replace(/\n$/, '')
}

function filtersFrom({ events, apps }: Filters): Pick<ChannelChange, 'events' | 'apps'> {
  return {
    ...(events === undefined ? {} : { events: listed(events) as ChannelEvent[] }),
    ...(apps === undefined ? {} : { apps: apps === 'all' ? null : listed(apps) }),
  }
}

function listed(text: string): string[] {
  return text.split(/[\s,]+/).filter(word => word !== '')
}

async function set(
  { client, printer }: Session,
  name: string,
  options: Filters & { readonly switch?: 'on' | 'off' },
): Promise<void> {
  const change = {
    ...filtersFrom(options),
    ...(options.switch === undefined ? {} : { on: options.switch === 'on' }),
  }
  const path = `/notifications/${encodeURIComponent(name)}`
  const channel = await client.send<ChangedChannelDocument>('PATCH', path, change)
  printer.answer(channel)
  const about = `${channel.events.join(', ')} of ${channel.apps?.join(', ') ?? 'all apps'}`
  printer.line(`${channel.name} is ${channel.on ? `told: ${about}` : 'paused'}.`)
}

async function test({ client, printer }: Session, name: string): Promise<void> {
  const path = `/notifications/${encodeURIComponent(name)}/test`
  const sent = await client.send<ChannelTestDocument>('POST', path)
  printer.answer(sent)
  printer.line(`A test message went to ${inertLine(sent.to)}.`)
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/notifications/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is told nothing any more.`)
}
