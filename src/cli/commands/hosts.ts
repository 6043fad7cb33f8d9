import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { readTimeout } from '#cli/duration.ts'
import { FILE_NOT_READ } from '#cli/errors.ts'
import { HOST_ADD_INCOMPLETE } from '#cli/host-errors.ts'
import { pruneHost } from '#cli/hosts-prune.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { HostDocument, NewHost } from '#contract/rest/hosts.ts'
import type { JoinTokenDocument, MadeJoinToken, NewJoinToken } from '#contract/rest/join.ts'

export function configureHosts(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all hosts').action(act(list))
  command
    .command('add')
    .description(
      'prints the command that enrols a new host; with an address, enrols one that trusts this manager already',
    )
    .argument('[address]', 'host:port of its worker, for a host that cannot reach the manager')
    .option('--identity <file>', 'what "fairlead worker init" printed there')
    .option('--guardian', 'for its guardian instead of its worker')
    .option('--name <name>', 'the host must have this name')
    .option('--from <network...>', 'where it may be used: addresses or networks (CIDR)')
    .option('--valid <duration>', 'how long it can be used; default 15m', readTimeout)
    .action(act(add))
  command
    .command('tokens')
    .description('lists the join tokens, or makes one useless')
    .option('--revoke <id>', 'makes an open one useless')
    .action(act(tokens))
  command
    .command('rotate-identity')
    .description('gives the agent of a host a new key; the old one is never accepted again')
    .argument('<host>')
    .action(act(rotate))
  command
    .command('remove')
    .description('forgets a host; what runs there keeps running')
    .argument('<host>')
    .option('--revoke', 'its key is never accepted again: for a machine that was stolen or broken into')
    .action(act(remove))
  command
    .command('identity')
    .description('prints the manager\'s public identity, for "fairlead worker trust"')
    .action(act(identity))
  command
    .command('prune')
    .description('deletes images and build cache that nothing needs; never volumes')
    .argument('<host>')
    .option('--dry-run', 'only says what would go, what stays, and why')
    .option('--all-unused', 'also images that Fairlead did not make')
    .option('--older-than <duration>', 'younger images stay; default 1h', readTimeout)
    .action(act(pruneHost))
  withExamples(command, [
    ['fairlead hosts', 'lists all'],
    ['fairlead hosts add --name box', 'prints the command that enrols the new host "box"'],
    ['fairlead hosts identity > manager.json', 'to be taken to a host that cannot reach the manager'],
    ['fairlead hosts prune box --dry-run', 'what nobody needs there'],
    ['fairlead hosts rotate-identity box', 'its agent makes a new key'],
    ['fairlead hosts add 10.0.0.7:7443 --identity box.json', 'enrols that one'],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: HostDocument[] }>('/hosts')
  printer.answer(answer)
  printer.table(
    ['host', 'role', 'address', 'online', 'key', 'certificate until', 'guardian'],
    answer.items.map(host => [
      host.name,
      host.role,
      host.address,
      host.online ? 'yes' : 'NO',
      host.key_id.slice(0, 16),
      host.certificate_ends_at.slice(0, 10),
      host.guardian ?? (host.role === 'worker' ? 'NONE' : ''),
    ]),
  )
  for (const { name, warning, advice } of answer.items) {
    for (const said of [warning, advice].filter(text => text !== null)) {
      printer.line(`${name}: ${said}`)
    }
  }
  const engines = answer.items.flatMap(host => host.engines.map(engine => ({ host: host.name, ...engine })))
  if (engines.length > 0) {
    printer.line('')
    printer.table(
      ['host', 'engine', 'labels', 'docker', 'problem'],
      engines.map(({ host, name, labels, version, problem }) => [
        host,
        name,
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
        version ?? '-',
        inertLine(problem ?? '', 120),
      ]),
    )
  }
}

interface AddOptions {
  readonly identity?: string
  readonly guardian?: true
  readonly name?: string
  readonly from?: string[]
  readonly valid?: number
}

async function add(session: Session, address: string | undefined, options: AddOptions): Promise<void> {
  const { identity: file } = options
  if (address === undefined && file === undefined) {
    await addByToken(session, options)
    return
  }
  if (address === undefined || file === undefined) {
    throw HOST_ADD_INCOMPLETE()
  }
  const { client, printer } = session
  const body: NewHost = { address, identity: readIdentity(file) }
  const host = await client.send<HostDocument>('POST', '/hosts', body)
  printer.answer(host)
  printer.line(
    `${host.name} is enrolled and ${host.online ? 'online' : 'not connected yet'}. Key: ${host.key_id}`,
  )
  printer.line('Compare the key with the one that the host itself shows.')
}

/** The token is shown once, as part of the command that needs it. */
async function addByToken(
  { client, printer }: Session,
  { guardian, name, from, valid }: AddOptions,
): Promise<void> {
  const role = guardian ? 'guardian' : 'worker'
  const body: NewJoinToken = {
    role,
    ...(name === undefined ? {} : { name }),
    ...(from === undefined ? {} : { from }),
    ...(valid === undefined ? {} : { valid_seconds: Math.round(valid / 1_000) }),
  }
  const made = await client.send<MadeJoinToken>('POST', '/join-tokens', body)
  printer.answer(made)
  printer.line(`Run this on the new host, before ${made.expires_at}; it works once:`)
  printer.line('')
  const named = name === undefined ? '' : ` --name ${name}`
  printer.line(`  fairlead ${role} join ${made.token} --manager ${made.manager_url}${named}`)
  printer.line('')
  printer.line('Then "fairlead hosts" shows it.')
}

async function tokens({ client, printer }: Session, { revoke }: { revoke?: string }): Promise<void> {
  if (revoke !== undefined) {
    await client.send('DELETE', `/join-tokens/${encodeURIComponent(revoke)}`)
    printer.answer({ revoked: revoke })
    printer.line(`The join token ${revoke} works no more.`)
    return
  }
  const answer = await client.get<{ items: JoinTokenDocument[] }>('/join-tokens')
  printer.answer(answer)
  printer.table(
    ['token', 'for', 'state', 'until', 'made by', 'used by'],
    answer.items.map(token => [
      token.id,
      [token.role, token.name ?? '', ...token.from].filter(Boolean).join(' '),
      token.state,
      token.expires_at,
      inertLine(token.created_by, 40),
      token.used_by ?? '',
    ]),
  )
}

async function rotate({ client, printer }: Session, name: string): Promise<void> {
  const host = await client.send<HostDocument>('POST', `/hosts/${encodeURIComponent(name)}/rekey`)
  printer.answer(host)
  printer.line(`${name} has a new key: ${host.key_id}`)
}

async function remove(
  { client, printer }: Session,
  name: string,
  { revoke }: { revoke?: true },
): Promise<void> {
  await client.send('DELETE', `/hosts/${encodeURIComponent(name)}${revoke ? '?revoke=true' : ''}`)
  printer.answer({ removed: name, revoked: revoke ?? false })
  printer.line(
    revoke
      ? `The key of ${name} is never accepted again. If apps are on it, they stay listed until they are removed, or until another machine joins as "${name}".`
      : `${name} is forgotten.`,
  )
}

async function identity({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ identity: unknown }>('/hosts/manager-identity')
  printer.answer(answer.identity)
  printer.line(JSON.stringify(answer.identity, null, 2))
}

function readIdentity(file: string): Record<string, unknown> {
  const text = readFileText(file)
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw FILE_NOT_READ(file, (error as Error).message)
  }
}
