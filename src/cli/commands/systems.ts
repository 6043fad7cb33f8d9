import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { runConsole } from '#cli/console.ts'
import { reportDeployment } from '#cli/report-deployment.ts'
import { runSsh } from '#cli/run-ssh.ts'
import type { Session } from '#cli/session.ts'
import { listSystems, showSystem } from '#cli/shown-systems.ts'
import { configureBackups, copyTo } from '#cli/system-backups.ts'
import { NO_SSH_THERE } from '#cli/system-errors.ts'
import { configureKeys } from '#cli/system-keys.ts'
import { configureMembers } from '#cli/system-members.ts'
import { type Limits, limits, limitsIn, parseAmount } from '#cli/system-options.ts'
import { configureProfiles } from '#cli/system-profiles.ts'
import { configureQuotas } from '#cli/system-quotas.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'

/** Scheduled snapshots are kept so long. */
const DAYS = 7
/** So many scheduled backups. */
const KEPT = 4

export function configureSystems(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists system containers, whose they are and how they are')
    .action(act(listSystems))
  command
    .command('show')
    .description('shows one, with its ports and snapshots')
    .argument('<system>')
    .action(act(showSystem))
  limits(
    command
      .command('create')
      .description('makes one that belongs to you and lets your SSH keys in')
      .argument('<system>', 'its name, and its host name')
      .option('--image <image>', 'of the host, or of its image server: images:debian/12')
      .option(
        '--backup <id>',
        'makes it of a backup in place of an image; that is brought to the host if need be',
      )
      .option('--host <host>', 'where; needed when there are several workers')
      .option('--member <member>', 'of the cluster of that host; without it Incus chooses')
      .option('--profile <profile>', 'what is installed at its first start')
      .option('--owner <person>', 'e-mail address of somebody else whose it is to be'),
  ).action(act(create))
  limits(
    command
      .command('set')
      .description('changes limits, ports, scheduled snapshots, or whose it is')
      .argument('<system>')
      .option('--schedule <cron>', 'when snapshots are taken: "0 4 * * *", or off')
      .option('--keep-days <days>', 'how long those are kept; default 7', parseAmount)
      .option('--backups <cron>', 'when backups are made: "0 3 * * 0" (UTC), or off')
      .option('--keep <number>', 'so many of those are kept; default 4', parseAmount)
      .option('--owner <person>', 'e-mail address of whose it is from now on'),
  ).action(act(set))
  for (const [action, does] of [
    ['start', 'starts one'],
    ['stop', 'stops one; what is in it stays'],
    ['restart', 'stops one and starts it again'],
  ] as const) {
    command
      .command(action)
      .description(does)
      .argument('<system>')
      .action(act((session, name: string) => post(session, `${pathOf(name)}/${action}`, {})))
  }
  command
    .command('rename')
    .description('gives one another name; it is stopped and started for that')
    .argument('<system>')
    .argument('<name>')
    .action(act((session, name: string, to: string) => ask(session, 'PATCH', pathOf(name), { name: to })))
  command
    .command('move')
    .description('moves one to another member of its cluster; it is stopped and started for that')
    .argument('<system>')
    .requiredOption('--to <member>', 'which; "any" lets it be anywhere from now on')
    .action(
      act((session, name: string, { to }: { readonly to: string }) =>
        ask(session, 'PATCH', pathOf(name), { member: to === 'any' ? null : to }),
      ),
    )
  command
    .command('delete')
    .description('deletes one with everything in it and its snapshots')
    .argument('<system>')
    .requiredOption('--confirm <system>', 'its name once more')
    .action(act(remove))
  command
    .command('snapshot')
    .description('keeps what is on the disk of one now')
    .argument('<system>')
    .argument('<snapshot>', 'a name for it')
    .option('--delete', 'deletes that snapshot instead')
    .action(act(snapshot))
  command
    .command('restore')
    .description('brings the disk of one back to a snapshot; what was written since is lost')
    .argument('<system>')
    .argument('<snapshot>')
    .action(
      act((session, name: string, what: string) =>
        post(session, `${pathOf(name)}/restore`, { snapshot: what }),
      ),
    )
  command
    .command('ssh')
    .description('logs in to one; further words are run there')
    .argument('<system>')
    .argument('[words...]', 'behind -- when they begin with a hyphen')
    .action(act(ssh))
  command
    .command('console')
    .description('opens a shell in one, also where its SSH server is gone')
    .argument('<system>')
    .action(act(({ client, signal }, name: string) => runConsole(client, name, signal)))
  configureBackups(command, act)
  configureKeys(command, act)
  configureQuotas(command, act)
  configureProfiles(command, act)
  configureMembers(command, act)
  withExamples(command, [
    ['fairlead systems keys --add ~/.ssh/id_ed25519.pub', 'first of all: there are no passwords'],
    ['fairlead systems create ada --image debian12 --memory 2g', 'makes a machine'],
    ['fairlead systems ssh ada', 'logs in'],
    ['fairlead systems snapshot ada before', 'keeps it as it is now'],
  ])
}

async function create(
  session: Session,
  name: string,
  { image, backup, host, member, owner, profile, ...asked }: Asked & ForNew,
): Promise<number> {
  // A system is made where the file of its backup is.
  const from = backup && host ? (await copyTo(session, backup, host)).id : backup
  const where = Object.entries({ image, backup: from, host, member, owner, profile }).filter(
    ([, value]) => value !== undefined,
  )
  return await post(session, '/systems', { name, ...Object.fromEntries(where), ...limitsIn(asked) })
}

type ForNew = Partial<Record<'image' | 'backup' | 'host' | 'member' | 'profile', string>>

interface Asked extends Limits {
  readonly schedule?: string
  readonly keepDays?: number
  readonly backups?: string
  readonly keep?: number
  readonly owner?: string
}

async function set(session: Session, name: string, asked: Asked): Promise<number> {
  const { schedule: cron, keepDays: keep_days = DAYS, backups: when, keep = KEPT, owner } = asked
  const schedule = cron === 'off' ? null : cron && { cron, keep_days }
  const backups = when === 'off' ? null : when && { cron: when, keep }
  const rest = Object.entries({ schedule, backups, owner }).filter(([, value]) => value !== undefined)
  return await ask(session, 'PATCH', pathOf(name), { ...limitsIn(asked), ...Object.fromEntries(rest) })
}

async function remove(
  session: Session,
  name: string,
  { confirm }: { readonly confirm: string },
): Promise<number> {
  return await ask(session, 'DELETE', `${pathOf(name)}?confirm=${encodeURIComponent(confirm)}`)
}

async function snapshot(
  session: Session,
  name: string,
  what: string,
  options: { readonly delete?: boolean },
): Promise<number> {
  const path = `${pathOf(name)}/snapshots`
  return options.delete === true
    ? await ask(session, 'DELETE', `${path}/${encodeURIComponent(what)}`)
    : await post(session, path, { name: what })
}

async function ssh({ client }: Session, name: string, words: readonly string[]): Promise<number> {
  const { ssh: login } = await client.get<SystemDocument>(pathOf(name))
  if (!login) {
    throw NO_SSH_THERE(name)
  }
  return await runSsh(login, words)
}

async function post(session: Session, path: string, body: object): Promise<number> {
  return await ask(session, 'POST', path, body)
}

async function ask(
  session: Session,
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<number> {
  const deployment = await session.client.send<DeploymentDocument | undefined>(method, path, body)
  if (deployment === undefined) {
    session.printer.line('Nothing of it was ever made; it is gone.')
    return 0
  }
  return await reportDeployment(session, deployment, { wait: true })
}

function pathOf(name: string): string {
  return `/systems/${encodeURIComponent(name)}`
}
