import { resolve } from 'node:path'
import type { Command } from 'commander'
import { askBackup, type OpeningOptions, openingFrom, withOpeningOptions } from '#cli/ask-backup.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { openNewFile } from '#cli/new-file.ts'
import type { Session } from '#cli/session.ts'
import type { RestoredFacts } from '#contract/backup.ts'

interface Options extends OpeningOptions {
  readonly since?: string
  readonly sinceDatabase?: string
  readonly nothingRevoked?: boolean
  readonly host?: string[]
  readonly key?: string
  readonly adminTokenFile?: string
}

export function configureRestore(command: Command, act: Act): void {
  withOpeningOptions(command.argument('<file>', 'backup of a manager'))
    .option('--since <folder>', 'the manager as it was last: what that one let in no more stays out')
    .option('--since-database <url>', 'its database, where that is in PostgreSQL')
    .option('--nothing-revoked', 'you know that nothing was revoked since the backup was made')
    .option('--host <names...>', 'hosts that are still trusted, where neither of both is given')
    .option('--key <id>', 'refuse a backup of a manager with another key')
    .option('--admin-token-file <file>', 'for the one token that works, where all others were shut out')
    .action(act(restore))
  withExamples(command, [
    [
      'fairlead restore monday.age --identity backup.key --since /var/lib/fairlead-manager/manager.old',
      'on the same machine',
    ],
    [
      'fairlead restore monday.age --identity backup.key --host box1 --host box2',
      'after the loss of the disk',
    ],
  ])
}

async function restore(session: Session, file: string, options: Options): Promise<void> {
  const { printer, config } = session
  const from = resolve(file)
  const opening = await openingFrom(options)
  const { adminTokenFile } = options
  // First of all: a token that could not be written down would be lost.
  const tokenFile = adminTokenFile === undefined ? undefined : openNewFile(adminTokenFile)
  const since = options.since === undefined ? undefined : resolve(options.since)
  const restored = await askBackup<RestoredFacts>(
    session,
    {
      do: 'restore',
      from,
      opening,
      nothingRevoked: options.nothingRevoked === true,
      hosts: options.host ?? [],
      ...(since === undefined ? {} : { since }),
      ...(options.sinceDatabase === undefined ? {} : { sinceDatabase: options.sinceDatabase }),
      ...(options.key === undefined ? {} : { keyId: options.key }),
    },
    {
      read: [config.dataFolder, ...(since === undefined ? [] : [since])],
      written: [config.dataFolder],
    },
  )
  if (restored.token !== null) {
    tokenFile?.write(`${restored.token}\n`)
  }
  const shown = tokenFile === undefined ? restored : { ...restored, token: null }
  printer.answer(shown)
  printer.line(`Restored ${restored.data} from the backup of ${restored.made_at}; nothing is running yet.`)
  printer.line(`Hosts take it from epoch ${restored.epoch}, and refuse the manager that was before.`)
  for (const [what, count] of Object.entries(restored.shut_out).filter(([, count]) => count > 0)) {
    printer.line(`Shut out: ${count} ${what}`)
  }
  if (restored.ended_deployments > 0) {
    printer.line(`Ended as failed: ${restored.ended_deployments} deployments that were under way.`)
  }
  if (shown.token !== null) {
    printer.line(`The one token that works, shown this once: ${shown.token}`)
  }
}
