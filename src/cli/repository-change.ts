import type { Command } from 'commander'
import type { RepositoryChange, RepositoryDocument } from '#contract/rest/repositories.ts'
import type { Act } from './command.ts'
import { type CredentialOptions, readCredential, readFileText, withCredentialOptions } from './credential.ts'
import { NOTHING_TO_SET } from './errors.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'

/** `false` is what commander makes of --no-…. */
interface SetOptions extends Omit<CredentialOptions, 'ca'> {
  readonly url?: string
  readonly branch?: string
  readonly ca?: string | false
  readonly credential?: false
  readonly poll?: number
  readonly composePath?: string | false
  readonly autoApps?: boolean
}

/** `repositories set`: changes what is named and leaves the rest. */
export function configureSet(command: Command, act: Act): void {
  command
    .description('changes what is named of a repository, and has it looked at again')
    .argument('<repository>')
    .option('--url <url>', 'its new address; at another server a credential has to come with it')
    .option('--branch <name>', 'the branch that is deployed')
  withCredentialOptions(command)
    .option('--no-credential', 'forget its credential: everybody may read it')
    .option('--no-ca', 'its server has a public certificate')
    .option('--poll <seconds>', 'how often to look without a webhook; 0 turns it off', Number)
    .option('--compose-path <path>', 'its one app is this Compose file')
    .option('--no-compose-path', 'its apps are what its files say')
    .option('--auto-apps', 'create the apps that it describes')
    .option('--no-auto-apps', 'do not create them')
    .action(act(set))
  // An option with "no-" alone would otherwise be true when nobody gave it.
  command.setOptionValue('credential', undefined)
}

async function set({ client, printer }: Session, name: string, options: SetOptions): Promise<void> {
  const change = await changeOf(options)
  if (Object.keys(change).length === 0) {
    throw NOTHING_TO_SET(name)
  }
  const path = `/repositories/${encodeURIComponent(name)}`
  const repository = await client.send<RepositoryDocument>('PATCH', path, change)
  printer.answer(repository)
  printer.line(`${repository.name} is changed: ${repository.branch} of ${inertLine(repository.url)}`)
}

async function changeOf(options: SetOptions): Promise<RepositoryChange> {
  const { url, branch, ca, poll, composePath, autoApps, credential, ...login } = options
  const given = credential === false ? null : await readCredential(login)
  return {
    ...(url === undefined ? {} : { url }),
    ...(branch === undefined ? {} : { branch }),
    ...(given === undefined ? {} : { credential: given }),
    ...(ca === undefined ? {} : { ca: ca === false ? null : readFileText(ca) }),
    ...(poll === undefined ? {} : { poll_seconds: poll as 0 }),
    ...(composePath === undefined ? {} : { compose_path: composePath === false ? null : composePath }),
    ...(autoApps === undefined ? {} : { auto_apps: autoApps }),
  }
}
