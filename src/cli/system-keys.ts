import type { Command } from 'commander'
import type { SshKeyDocument, SshKeyList } from '#contract/rest/systems.ts'
import type { Act } from './command.ts'
import { readFileText } from './credential.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'

export function configureKeys(command: Command, act: Act): void {
  command
    .command('keys')
    .description('lists your SSH keys, or adds or removes one')
    .option('--add <file>', 'a .pub file; it is let into all of your systems')
    .option('--remove <id>', "as the list gives it; admins remove anybody's")
    .option('--person <person>', 'lists those of somebody else, by e-mail address; admins only')
    .action(act(keys))
}

interface Asked {
  readonly add?: string
  readonly remove?: string
  readonly person?: string
}

async function keys({ client, printer }: Session, { add, remove, person }: Asked): Promise<void> {
  if (add !== undefined) {
    const key = await client.send<SshKeyDocument>('POST', '/ssh-keys', { key: readFileText(add) })
    printer.note(`${key.fingerprint} is let into all of your systems.`)
  }
  if (remove !== undefined) {
    await client.send('DELETE', `/ssh-keys/${encodeURIComponent(remove)}`)
  }
  const whose = person === undefined ? '' : `?owner=${encodeURIComponent(person)}`
  const answer = await client.get<SshKeyList>(`/ssh-keys${whose}`)
  printer.answer(answer)
  printer.table(
    ['key', 'fingerprint', 'comment'],
    answer.items.map(each => [each.id, each.fingerprint, inertLine(each.comment, 60)]),
  )
}
