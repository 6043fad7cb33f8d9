import type { Command } from 'commander'
import { askHidden } from '#cli/ask-hidden.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import { USAGE } from '#cli/errors.ts'
import type { Session } from '#cli/session.ts'
import type { RecipientDocument, SecretDocument } from '#contract/rest/secrets.ts'

const WHOSE =
  'Name whose secret it is: an app, or one of --repository and --host; and then the name of the secret.'

export function configureSecrets(command: Command, act: Act): void {
  withScope(command.command('list'), 'only')
    .description('names and revisions; values are never shown')
    .argument('[app]')
    .action(act(list))
  withScope(command.command('set'))
    .description('sets one secret; the value comes from standard input, never from an argument')
    .argument('<app-and-name...>', 'an app and the name, or the name alone with --repository or --host')
    .option('--file <file>', 'read the value from a file instead')
    .action(act(set))
  withScope(command.command('remove'))
    .description('removes one secret')
    .argument('<app-and-name...>', 'an app and the name, or the name alone with --repository or --host')
    .action(act(remove))
  command
    .command('recipient')
    .description('prints whom files in a repository are encrypted for with age: age -r "$(…)"')
    .argument('<repository>')
    .option('--renew', 'make another one first; files for those before it stay readable')
    .action(act(recipient))
  withExamples(command, [
    ['fairlead secrets set shop API_KEY', 'asks for the value without showing it'],
    ['pass show shop/key | fairlead secrets set shop API_KEY', 'takes it from another program'],
    ['fairlead secrets set --repository infra DEPLOY_KEY', 'for all apps of the repository'],
    ['fairlead secrets list shop', 'names only'],
    [
      'age -r "$(fairlead secrets recipient infra)" -o prod.env.age prod.env',
      'encrypts a file that may be pushed; the deploy file names it in "secret_files"',
    ],
  ])
}

function withScope(command: Command, which = 'for all apps of this one'): Command {
  const what = which === 'only' ? 'of this one' : which
  return command
    .option('--repository <name>', `a secret of a repository: ${what}`)
    .option('--host <name>', `a secret of a host: ${what}`)
}

interface Scope {
  readonly repository?: string
  readonly host?: string
}

interface Owner {
  /** As it stands in a text. */
  readonly shown: string
  readonly path: string
}

async function list(
  { client, printer, clock }: Session,
  app: string | undefined,
  scope: Scope,
): Promise<void> {
  const { path } = ownerOf(app === undefined ? [] : [app], scope).owner
  const answer = await client.get<{ items: SecretDocument[] }>(path)
  printer.answer(answer)
  printer.table(
    ['secret', 'revision', 'set'],
    answer.items.map(secret => [secret.name, String(secret.revision), ago(secret.updated_at, clock.now())]),
  )
}

async function set(
  session: Session,
  words: readonly string[],
  options: Scope & { readonly file?: string },
): Promise<void> {
  const { owner, name } = named(words, options)
  const value =
    options.file === undefined
      ? await askHidden(`Value of ${name} (not shown): `)
      : readFileText(options.file).replace(/\n$/, '')
  const path = `${owner.path}/${encodeURIComponent(name)}`
  const secret = await session.client.send<SecretDocument>('PUT', path, { value })
  session.printer.answer(secret)
  session.printer.line(`${name} is set; the next deployment of ${owner.shown} uses it.`)
}

async function remove({ client, printer }: Session, words: readonly string[], scope: Scope): Promise<void> {
  const { owner, name } = named(words, scope)
  await client.send('DELETE', `${owner.path}/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is removed; what runs keeps the value until the next deployment of ${owner.shown}.`)
}

async function recipient(
  { client, printer }: Session,
  repository: string,
  { renew }: { readonly renew?: true },
): Promise<void> {
  const path = `/repositories/${encodeURIComponent(repository)}/recipient`
  const answer = renew
    ? await client.send<RecipientDocument>('POST', path, {})
    : await client.get<RecipientDocument>(path)
  printer.answer(answer)
  printer.line(answer.recipient)
}

function named(words: readonly string[], scope: Scope): { readonly owner: Owner; readonly name: string } {
  const { owner, rest } = ownerOf(words, scope)
  const [name, ...more] = rest
  if (name === undefined || more.length > 0) {
    throw USAGE(WHOSE)
  }
  return { owner, name }
}

/** Whose secrets are meant, and the words that are left: an app is the first of them, where no option says it. */
function ownerOf(
  words: readonly string[],
  { repository, host }: Scope,
): { readonly owner: Owner; readonly rest: readonly string[] } {
  if (repository !== undefined && host !== undefined) {
    throw USAGE(WHOSE)
  }
  if (repository !== undefined) {
    return {
      owner: ownedBy('repositories', repository, `each app of the repository ${repository}`),
      rest: words,
    }
  }
  if (host !== undefined) {
    return { owner: ownedBy('hosts', host, `each app on ${host}`), rest: words }
  }
  const [app, ...rest] = words
  if (app === undefined) {
    throw USAGE(WHOSE)
  }
  return { owner: ownedBy('apps', app, app), rest }
}

function ownedBy(kind: 'apps' | 'repositories' | 'hosts', name: string, shown: string): Owner {
  return { shown, path: `/${kind}/${encodeURIComponent(name)}/secrets` }
}
