import type { Command } from 'commander'
import type { AddressListDetail, AddressListSource, AddressLists } from '#contract/rest/address-lists.ts'
import type { Act } from './command.ts'
import { ADDRESS_LIST_UNSAID } from './host-errors.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'

/** Named lists of addresses, which deploy files name as "@github-hooks". */
export function configureFirewallLists(command: Command, act: Act): void {
  command
    .command('lists')
    .description('shows the named lists of addresses')
    .argument('[name]', 'shows the networks of this one')
    .action(act(lists))
  command
    .command('set-list')
    .description('makes a list of what somebody publishes, and reads it every six hours')
    .argument('<name>')
    .option('--kind <kind>', 'github-hooks, github-actions, github-git or bitbucket')
    .option('--url <url>', 'a text with one network on each line, or JSON')
    .option('--path <path>', 'where the networks are in the JSON, such as prefixes.*.ip_prefix')
    .action(act(setList))
  command.command('refresh-list').description('reads a list anew').argument('<name>').action(act(refreshList))
  command
    .command('remove-list')
    .description('removes a list for which no port is open')
    .argument('<name>')
    .action(act(removeList))
}

async function lists({ client, printer }: Session, name?: string): Promise<void> {
  if (name !== undefined) {
    show(await client.get<AddressListDetail>(pathOf(name)), printer)
    return
  }
  const answer = await client.get<AddressLists>('/firewall/lists')
  printer.answer(answer)
  printer.table(
    ['list', 'from', 'networks', 'read', 'used by', 'problem'],
    answer.items.map(each => [
      each.name,
      inertLine(sourceText(each.source), 60),
      String(each.count),
      each.fetched_at,
      each.used_by.join(' '),
      inertLine(each.problem ?? '', 120),
    ]),
  )
}

async function setList(
  { client, printer }: Session,
  name: string,
  { kind, url, path }: { readonly kind?: string; readonly url?: string; readonly path?: string },
): Promise<void> {
  if ((kind === undefined) === (url === undefined)) {
    throw ADDRESS_LIST_UNSAID()
  }
  const body = kind === undefined ? { url, ...(path === undefined ? {} : { path }) } : { kind }
  show(await client.send<AddressListDetail>('PUT', pathOf(name), body), printer)
}

async function refreshList({ client, printer }: Session, name: string): Promise<void> {
  show(await client.send<AddressListDetail>('POST', `${pathOf(name)}/refresh`), printer)
}

async function removeList({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', pathOf(name))
  printer.answer({ removed: name })
  printer.line(`The list ${name} is gone.`)
}

function pathOf(name: string): string {
  return `/firewall/lists/${encodeURIComponent(name)}`
}

function show(list: AddressListDetail, printer: Session['printer']): void {
  printer.answer(list)
  printer.line(
    `${list.name}: ${list.count} networks of ${inertLine(sourceText(list.source), 200)}, read ${list.fetched_at}`,
  )
  if (list.problem !== null) {
    printer.line(`It could not be read since: ${inertLine(list.problem, 300)}`)
  }
  for (const network of list.networks) {
    printer.line(`  ${inertLine(network, 64)}`)
  }
}

function sourceText(source: AddressListSource): string {
  return 'kind' in source ? source.kind : source.url
}
