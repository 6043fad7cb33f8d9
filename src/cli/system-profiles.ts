import { type Command, Option } from 'commander'
import type { ProfileBody, ProfileList } from '#contract/rest/system-profiles.ts'
import type { Act } from './command.ts'
import type { Session } from './session.ts'
import { PROFILE_OF_WHAT } from './system-errors.ts'

export function configureProfiles(command: Command, act: Act): void {
  command
    .command('profiles')
    .description('lists what systems get at their first start; admins add to it')
    .option('--set <profile>', 'says what this one installs')
    .option('--packages <packages>', 'names of Debian packages, with commas between')
    .addOption(new Option('--delete <profile>', 'deletes one').conflicts(['set', 'packages']))
    .action(act(profiles))
}

async function profiles(
  { client, printer }: Session,
  { set, packages, delete: gone }: Partial<Record<'set' | 'packages' | 'delete', string>>,
): Promise<void> {
  if ((set === undefined) !== (packages === undefined)) {
    throw PROFILE_OF_WHAT()
  }
  if (set !== undefined && packages !== undefined) {
    const body: ProfileBody = { packages: packages.split(',').filter(Boolean) }
    await client.send('PUT', pathOf(set), body)
  }
  if (gone !== undefined) {
    await client.send('DELETE', pathOf(gone))
  }
  const answer = await client.get<ProfileList>('/system-profiles')
  printer.answer(answer)
  printer.table(
    ['profile', 'packages'],
    answer.items.map(each => [each.name, each.packages.join(' ')]),
  )
}

function pathOf(profile: string): string {
  return `/system-profiles/${encodeURIComponent(profile)}`
}
