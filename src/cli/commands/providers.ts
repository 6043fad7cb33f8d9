import type { Command } from 'commander'
import { askHidden } from '#cli/ask-hidden.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import type { Session } from '#cli/session.ts'
import type { ProviderDocument } from '#contract/rest/providers.ts'

interface SetOptions {
  readonly issuer: string
  readonly clientId: string
  readonly secret?: boolean
  readonly secretFile?: string
  readonly scopes?: string
  readonly linkByEmail?: boolean
  readonly makeAccounts?: boolean
  readonly roleClaim?: string
  readonly role: readonly string[]
}

export function configureProviders(command: Command, act: Act): void {
  const collect = (value: string, before: readonly string[]) => [...before, value]
  command.command('list', { isDefault: true }).description('lists where people sign in').action(act(list))
  command
    .command('set')
    .description('lets people sign in with the account that they have at an OpenID Connect provider')
    .argument('<name>', 'as the sign-in page calls it')
    .requiredOption('--issuer <url>', 'below it is /.well-known/openid-configuration')
    .requiredOption('--client-id <id>')
    .option('--secret', 'asks for the secret of the client; default: the one that is there stays')
    .option('--secret-file <file>', 'file with the secret of the client')
    .option('--scopes <text>', 'what is asked for; default: openid email profile')
    .option('--link-by-email', 'a verified e-mail address there is that of the account here')
    .option('--make-accounts', 'whoever has no account here gets one')
    .option('--role-claim <name>', 'what decides the role everywhere, at each sign-in')
    .option('--role <value=role>', 'which role a value of that gives; several times', collect, [])
    .action(act(set))
  command
    .command('remove')
    .description('lets nobody sign in there any more; accounts stay')
    .argument('<name>')
    .action(act(remove))
  withExamples(command, [
    [
      'fairlead providers set corp --issuer https://id.example.org --client-id fairlead --secret --link-by-email',
      'prints the redirect address that the provider has to know',
    ],
    ['fairlead providers', ''],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: ProviderDocument[] }>('/providers')
  printer.answer(answer)
  printer.table(
    ['name', 'issuer', 'client', 'finds accounts by', 'makes accounts', 'role'],
    answer.items.map(each => [
      each.name,
      each.issuer,
      each.client_id,
      each.link_by_email ? 'verified e-mail' : 'itself',
      each.makes_accounts ? 'yes' : 'no',
      each.role_claim === null ? 'given here' : `by ${each.role_claim}`,
    ]),
  )
}

async function set({ client, printer }: Session, name: string, options: SetOptions): Promise<void> {
  const secret = await secretOf(options)
  const body = {
    issuer: options.issuer,
    client_id: options.clientId,
    ...(secret === undefined ? {} : { client_secret: secret }),
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
    link_by_email: options.linkByEmail === true,
    makes_accounts: options.makeAccounts === true,
    role_claim: options.roleClaim ?? null,
    roles: Object.fromEntries(options.role.map(each => pairOf(each))),
  }
  const provider = await client.send<ProviderDocument>('PUT', `/providers/${encodeURIComponent(name)}`, body)
  printer.answer(provider)
  printer.line(`People sign in with ${provider.name}. Its redirect address is ${provider.callback}`)
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/providers/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`Nobody signs in with ${name} any more.`)
}

async function secretOf({ secret, secretFile }: SetOptions): Promise<string | undefined> {
  if (secretFile !== undefined) {
    return readFileText(secretFile).replace(/\n$/, '')
  }
  return secret ? await askHidden('Secret of the client (not shown): ') : undefined
}

/** The value may hold "=" itself. */
function pairOf(text: string): [string, string] {
  const at = text.lastIndexOf('=')
  return [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
}
