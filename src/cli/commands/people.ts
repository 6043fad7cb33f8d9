import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { PERSON_UNKNOWN } from '#cli/people-errors.ts'
import type { Session } from '#cli/session.ts'
import type {
  AddedPerson,
  FirstStartCode,
  InvitationDocument,
  PersonDocument,
  SignInRules,
} from '#contract/rest/people.ts'

interface AddOptions {
  readonly name?: string
  readonly role?: string
}

interface SetOptions extends AddOptions {
  readonly lock?: boolean
  readonly unlock?: boolean
  readonly mostApps?: string
}

export function configurePeople(command: Command, act: Act): void {
  const role = 'viewer, deployer, maintainer or admin; none: only what projects give'
  command.command('list', { isDefault: true }).description('lists who has an account').action(act(list))
  command
    .command('first')
    .description('prints the code with which the first account is made in the browser')
    .action(act(first))
  command
    .command('add')
    .description('makes an account and prints the code with which its owner chooses a password')
    .argument('<e-mail>')
    .option('--name <text>', 'default: the e-mail address')
    .option('--role <role>', role)
    .action(act(add))
  command
    .command('set')
    .description('changes the name or the role of a person, or locks the account')
    .argument('<e-mail>')
    .option('--name <text>')
    .option('--role <role>', role)
    .option('--lock', 'ends all sessions; nobody gets in with this account')
    .option('--unlock')
    .option('--most-apps <number>', 'so many apps they may own; none: any number')
    .action(act(set))
  command
    .command('invite')
    .description('prints a code with which a person chooses a new password')
    .argument('<e-mail>')
    .action(act(invite))
  command
    .command('remove')
    .description('removes an account with its sessions and tokens')
    .argument('<e-mail>')
    .action(act(remove))
  command
    .command('reset-factor')
    .description('takes away the second factor of a person who has lost it')
    .argument('<e-mail>')
    .action(act(resetFactor))
  command
    .command('require-factor')
    .description('says who has to have a second factor: nobody, admins or everybody; without it, prints who')
    .argument('[who]')
    .action(act(requireFactor))
  withExamples(command, [
    ['fairlead people first', 'where nobody has an account yet'],
    ['fairlead people add ada@example.org --role maintainer', 'prints what to send her'],
    ['fairlead people set ada@example.org --lock', 'she is out at once'],
    ['fairlead people require-factor admins', ''],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: PersonDocument[] }>('/people')
  printer.answer(answer)
  printer.table(
    ['e-mail', 'name', 'role', 'second factor', 'state'],
    answer.items.map(({ email, name, role, two_factor, disabled, invited }) => [
      email,
      name,
      role ?? 'none',
      two_factor ? 'yes' : 'no',
      disabled ? 'locked' : invited ? 'invited' : '',
    ]),
  )
}

async function first({ client, printer }: Session): Promise<void> {
  const offer = await client.send<FirstStartCode>('POST', '/first-start/code')
  printer.answer(offer)
  printer.line(`Open ${offer.url} and type in ${offer.code}`)
  printer.line('The code holds for ten minutes; whoever uses it becomes admin.')
}

async function add({ client, printer }: Session, email: string, options: AddOptions): Promise<void> {
  const body = { email, name: options.name ?? email, role: roleIn(options.role) ?? null }
  const added = await client.send<AddedPerson>('POST', '/people', body)
  printer.answer(added)
  tell(printer, email, added.invitation)
}

async function set(session: Session, email: string, options: SetOptions): Promise<void> {
  const { client, printer } = session
  const { id } = await personWith(session, email)
  const body = {
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.role === undefined ? {} : { role: roleIn(options.role) }),
    ...(options.mostApps === undefined ? {} : { most_apps: mostIn(options.mostApps) }),
    ...(options.lock || options.unlock ? { disabled: options.lock === true } : {}),
  }
  const person = await client.send<PersonDocument>('PATCH', `/people/${id}`, body)
  printer.answer(person)
  printer.line(`${person.email}: ${person.role ?? 'no role'}${person.disabled ? ', locked' : ''}`)
}

async function invite(session: Session, email: string): Promise<void> {
  const { client, printer } = session
  const { id } = await personWith(session, email)
  const invitation = await client.send<InvitationDocument>('POST', `/people/${id}/invitation`)
  printer.answer(invitation)
  tell(printer, email, invitation)
}

async function remove(session: Session, email: string): Promise<void> {
  const { client, printer } = session
  const { id } = await personWith(session, email)
  await client.send('DELETE', `/people/${id}`)
  printer.answer({ removed: email })
  printer.line(`${email} has no account any more.`)
}

async function resetFactor(session: Session, email: string): Promise<void> {
  const { client, printer } = session
  const { id } = await personWith(session, email)
  await client.send('DELETE', `/people/${id}/two-factor`)
  printer.answer({ reset: email })
  printer.line(`${email} signs in with the password alone.`)
}

async function requireFactor({ client, printer }: Session, who: string | undefined): Promise<void> {
  const path = '/sign-in-rules'
  const rules =
    who === undefined
      ? await client.get<SignInRules>(path)
      : await client.send<SignInRules>('PUT', path, { two_factor: who })
  printer.answer(rules)
  printer.line(`A second factor is required of ${rules.two_factor}.`)
}

function tell(printer: Session['printer'], email: string, { url }: InvitationDocument): void {
  printer.line(`${email} chooses a password at ${url}`)
  printer.line('The address works once, within three days. Send it to nobody else.')
}

async function personWith({ client }: Session, email: string): Promise<PersonDocument> {
  const { items } = await client.get<{ items: PersonDocument[] }>('/people')
  const person = items.find(each => each.email === email.toLowerCase())
  if (!person) {
    throw PERSON_UNKNOWN(email)
  }
  return person
}

function mostIn(text: string): number | null {
  return text === 'none' ? null : Number(text)
}

function roleIn(text: string | undefined): string | null | undefined {
  return text === 'none' ? null : text
}
