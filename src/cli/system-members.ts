import type { Command } from 'commander'
import type { MemberDocument, MemberList } from '#contract/rest/system-members.ts'
import type { Act } from './command.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { MEMBER_CHANGE_CANCELLED, MEMBER_CHANGE_FAILED, NO_SUCH_MEMBER } from './system-errors.ts'

const LOOK_EVERY_MS = 500

export function configureMembers(command: Command, act: Act): void {
  command
    .command('members')
    .description('lists the members of clusters, and which systems are where')
    .action(act(members))
  for (const [name, action, does] of [
    ['evacuate', 'evacuate', 'moves all that is on a member of a cluster to others, for maintenance'],
    ['restore-member', 'restore', 'takes an evacuated member into use again, with what it had'],
    ['cancel-member', 'cancel', 'ends its evacuation or restore; what was moved by then stays where it is'],
  ] as const) {
    command
      .command(name)
      .description(does)
      .argument('<member>')
      .option('--host <host>', 'whose worker talks to the cluster; needed when several have such a member')
      .action(
        act((session, member: string, { host }: { readonly host?: string }) =>
          change(session, { member, host, action }),
        ),
      )
  }
}

async function members({ client, printer }: Session): Promise<void> {
  const answer = await client.get<MemberList>('/system-members')
  printer.answer(answer)
  printer.table(
    ['member', 'host', 'state', 'address', 'systems'],
    answer.items.map(each => [
      inertLine(each.name, 60),
      each.host,
      inertLine(stateOf(each), 60),
      inertLine(each.address, 60),
      each.systems.join(' '),
    ]),
  )
}

function stateOf({ status, change }: MemberDocument): string {
  return change === null || change.state === 'done' ? status : `${status}, ${change.action} ${change.state}`
}

interface Wish {
  readonly member: string
  readonly host: string | undefined
  readonly action: 'evacuate' | 'restore' | 'cancel'
}

async function change({ client, printer, clock, signal }: Session, wish: Wish): Promise<void> {
  const found = async () => {
    const { items } = await client.get<MemberList>('/system-members')
    const fits = items.filter(({ name, host }) => name === wish.member && (wish.host ?? host) === host)
    const [one] = fits
    if (!one || fits.length > 1) {
      throw NO_SUCH_MEMBER(wish.member, fits.length)
    }
    return one
  }
  const { host } = await found()
  const path = [host, wish.member].map(encodeURIComponent).join('/')
  await client.send('POST', `/system-members/${path}/${wish.action}`, {})
  let now = await found()
  while (now.change?.state === 'under-way') {
    await clock.sleep(LOOK_EVERY_MS, signal)
    now = await found()
  }
  printer.answer(now)
  if (now.change?.state === 'cancelled') {
    const reason = inertLine(now.change.reason ?? '', 2_000)
    if (wish.action !== 'cancel') {
      throw MEMBER_CHANGE_CANCELLED(wish.member, wish.action, reason)
    }
    printer.line(`${wish.member}: ${now.change.action} is ended. ${reason}`)
    return
  }
  if (now.change?.state === 'failed') {
    throw MEMBER_CHANGE_FAILED(wish.member, wish.action, inertLine(now.change.reason ?? '', 500))
  }
  printer.line(`${wish.member}: ${now.change?.action ?? wish.action} is done`)
}
