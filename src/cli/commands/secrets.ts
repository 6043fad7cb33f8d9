import type { Command } from 'commander'
import { askHidden } from '#cli/ask-hidden.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import type { Session } from '#cli/session.ts'
import type { SecretDocument } from '#contract/rest/secrets.ts'

export function configureSecrets(command: Command, act: Act): void {
  command
    .command('list')
    .description('names and revisions; values are never shown')
    .argument('<app>')
    .action(act(list))
  command
    .command('set')
    .description('sets one secret; the value comes from standard input, never from an argument')
    .argument('<app>')
    .argument('<name>')
    .option('--file <file>', 'read the value from a file instead')
    .action(act(set))
  command
    .command('remove')
    .description('removes one secret')
    .argument('<app>')
    .argument('<name>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead secrets set shop API_KEY', 'asks for the value without showing it'],
    ['pass show shop/key | fairlead secrets set shop API_KEY', 'takes it from another program'],
    ['fairlead secrets list shop', 'names only'],
  ])
}

async function list({ client, printer, clock }: Session, app: string): Promise<void> {
  const answer = await client.get<{ items: SecretDocument[] }>(pathOf(app))
  printer.answer(answer)
  printer.table(
    ['secret', 'revision', 'set'],
    answer.items.map(secret => [secret.name, String(secret.revision), ago(secret.updated_at, clock.now())]),
  )
}

async function set(
  session: Session,
  app: string,
  name: string,
  options: { readonly file?: string },
): Promise<void> {
  const value =
    options.file === undefined
      ? await askHidden(`Value of ${name} (not shown): `)
      : readFileText(options.file).replace(/\n$/, '')
  const secret = await session.client.send<SecretDocument>('PUT', pathOf(app, name), { value })
  session.printer.answer(secret)
  session.printer.line(`${name} is set; the next deployment of ${app} uses it.`)
}

async function remove({ client, printer }: Session, app: string, name: string): Promise<void> {
  await client.send('DELETE', pathOf(app, name))
  printer.answer({ removed: name })
  printer.line(`${name} is removed; what runs keeps the value until the next deployment of ${app}.`)
}

function pathOf(app: string, name?: string): string {
  const secrets = `/apps/${encodeURIComponent(app)}/secrets`
  return name === undefined ? secrets : `${secrets}/${encodeURIComponent(name)}`
}
