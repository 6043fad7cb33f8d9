import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { configureFirewallLists } from '#cli/firewall-lists.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { FirewallDocument, FirewallList, OpeningDocument } from '#contract/rest/firewall.ts'

export function configureFirewall(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists what is open on guarded hosts')
    .action(act(list))
  command
    .command('guard')
    .description(
      'assigns the guardian that keeps the firewall of a host: what nobody opens is closed from then on',
    )
    .argument('<host>', 'its worker')
    .argument('[guardian]', 'left out: nobody keeps it any more')
    .action(act(guard))
  configureFirewallLists(command, act)
  withExamples(command, [
    ['fairlead firewall', 'what is open, for whom, and whether that is what apps want'],
    ['fairlead firewall guard box box-guardian', 'closes what nobody opens on box'],
    ['fairlead firewall set-list github-hooks --kind github-hooks', 'from: ["@github-hooks"] opens for them'],
    ['fairlead firewall lists', 'what is in them, and since when'],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<FirewallList>('/firewall')
  printer.answer(answer)
  show(answer.items, printer)
}

async function guard({ client, printer }: Session, host: string, guardian?: string): Promise<void> {
  const path = `/hosts/${encodeURIComponent(host)}/guardian`
  const answer = await client.send<FirewallList>('PUT', path, { guardian: guardian ?? null })
  printer.answer(answer)
  printer.line(
    guardian === undefined
      ? `Nobody keeps the firewall of ${host} any more; its rules stay as they are.`
      : `${guardian} keeps the firewall of ${host}: what nobody opens is closed.`,
  )
}

function show(firewalls: readonly FirewallDocument[], printer: Session['printer']): void {
  printer.table(
    ['guardian', 'of', 'in sync', 'repairs', 'problem'],
    firewalls.map(each => [
      each.guardian,
      each.workers.join(' '),
      each.in_sync ? 'yes' : 'NO',
      String(each.repairs),
      inertLine(each.problem ?? each.drift[0] ?? '', 120),
    ]),
  )
  const rows = firewalls.flatMap(({ guardian, wanted, kept, open }) => [
    ...wanted.map(each => [guardian, ports(each), from(each), each.app]),
    ...kept.map(each => [guardian, ports(each), from(each), 'the owner of the host']),
    ...(open ? [] : [[guardian, 'all', 'everybody', 'nothing is closed']]),
  ])
  if (rows.length > 0) {
    printer.line('')
    printer.table(['guardian', 'ports', 'from', 'for'], rows)
  }
}

function ports({ protocol, first, last }: OpeningDocument): string {
  return `${protocol} ${first === last ? first : `${first}-${last}`}`
}

function from({ sources }: OpeningDocument): string {
  return sources.length === 0 ? 'everybody' : inertLine(sources.join(' '), 60)
}
