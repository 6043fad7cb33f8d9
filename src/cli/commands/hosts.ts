import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { readTimeout } from '#cli/duration.ts'
import { FILE_NOT_READ } from '#cli/errors.ts'
import { pruneHost } from '#cli/hosts-prune.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { HostDocument, NewHost } from '#contract/rest/hosts.ts'

export function configureHosts(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists all hosts').action(act(list))
  command
    .command('add')
    .description('enrols a host whose worker trusts this manager already')
    .argument('<address>', 'host:port of its worker')
    .requiredOption('--identity <file>', 'what "fairlead worker init" printed there')
    .action(act(add))
  command
    .command('remove')
    .description('forgets a host; what runs there keeps running')
    .argument('<host>')
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
    ['fairlead hosts identity > manager.json', 'to be taken to the new host'],
    ['fairlead hosts prune box --dry-run', 'what nobody needs there'],
    ['fairlead hosts add 10.0.0.7:7443 --identity box.json', 'enrols it'],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: HostDocument[] }>('/hosts')
  printer.answer(answer)
  printer.table(
    ['host', 'role', 'address', 'online', 'key'],
    answer.items.map(host => [
      host.name,
      host.role,
      host.address,
      host.online ? 'yes' : 'NO',
      host.key_id.slice(0, 16),
    ]),
  )
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

async function add(
  { client, printer }: Session,
  address: string,
  options: { identity: string },
): Promise<void> {
  const body: NewHost = { address, identity: readIdentity(options.identity) }
  const host = await client.send<HostDocument>('POST', '/hosts', body)
  printer.answer(host)
  printer.line(
    `${host.name} is enrolled and ${host.online ? 'online' : 'not connected yet'}. Key: ${host.key_id}`,
  )
  printer.line('Compare the key with the one that the host itself shows.')
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/hosts/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is forgotten.`)
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
