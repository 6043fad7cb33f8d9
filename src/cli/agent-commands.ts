import type { Command } from 'commander'
import type { Act } from './command.ts'
import { askPart, runPart } from './parts.ts'
import type { Session } from './session.ts'

/** As the agent prints it. */
interface Joined {
  readonly host: string
  readonly address: string
  /** Id of its key. */
  readonly manager: string
}

interface JoinWords {
  readonly address?: string
  readonly name?: string
}

/** What every agent can be told on its own host: to serve, to make its keys, whom to trust. */
export function configureAgent(command: Command, act: Act, name: 'worker' | 'guardian'): void {
  const run = (session: Session, words: readonly string[]) => runPart(session, name, words)
  command
    .command('serve', { isDefault: true })
    .description('serves until it is interrupted')
    .action(act((session: Session) => run(session, [])))
  command
    .command('init')
    .description('makes its keys, once, and prints its public identity')
    .action(act((session: Session) => run(session, ['init'])))
  command
    .command('join')
    .description(
      'enrols this host at the manager (--manager) with the token that "fairlead hosts add" printed',
    )
    .argument('<token>')
    .option('--address <host:port>', `where the manager reaches this ${name}, if not where it listens`)
    .option('--name <name>', 'of this host; default: its hostname')
    .action(
      act((session: Session, token: string, words: JoinWords) => joinManager(session, name, token, words)),
    )
  command
    .command('trust')
    .description('pins a manager: only pinned ones are obeyed')
    .argument('<file>', 'what "fairlead hosts identity" printed')
    .action(act((session: Session, file: string) => run(session, ['trust', file])))
  command
    .command('revoke')
    .description('never again obeys a manager')
    .argument('<key>', `id of its key, as "fairlead ${name} trust" said it`)
    .action(act((session: Session, key: string) => run(session, ['revoke', key])))
}

async function joinManager(
  { config, printer }: Session,
  part: 'worker' | 'guardian',
  token: string,
  { address = '', name = '' }: JoinWords,
): Promise<void> {
  const { environment, dataFolder: data, managerUrl } = config
  const words = ['join', token, managerUrl, address, name]
  const joined = JSON.parse(await askPart({ name: part, data, environment, arguments: words })) as Joined
  printer.answer(joined)
  printer.line(`${joined.host} is enrolled at ${managerUrl}, which dials ${joined.address}.`)
  printer.line(`Pinned: the manager with the key ${joined.manager}.`)
  printer.line(`If the ${part} does not run yet, start it: fairlead ${part}`)
}
