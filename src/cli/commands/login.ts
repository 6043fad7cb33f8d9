import { hostname } from 'node:os'
import type { Command } from 'commander'
import { askHidden } from '#cli/ask-hidden.ts'
import { askText } from '#cli/ask-text.ts'
import { createVisitor } from '#cli/client.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { keepLogin, loginFileOf } from '#cli/login-file.ts'
import { EMAIL_MISSING } from '#cli/people-errors.ts'
import type { Session } from '#cli/session.ts'
import type { SignedIn } from '#contract/rest/people.ts'
import type { MadeToken } from '#contract/rest/tokens.ts'

interface LoginOptions {
  readonly email?: string
  readonly scope: readonly string[]
  readonly days: string
}

export function configureLogin(command: Command, act: Act): void {
  const collect = (value: string, before: readonly string[]) => [...before, value]
  command
    .option('--email <address>', 'default: it is asked for')
    .option('--scope <scope>', 'read, deploy, maintain or admin; several times for several', collect, [])
    .option('--days <number>', 'how long the login holds, at most 366', '90')
    .action(act(login))
  withExamples(command, [
    ['fairlead login --manager https://fairlead.example.org', 'asks for address, password and code'],
    ['fairlead login --email ada@example.org --scope read --days 7', 'only to look'],
    ['fairlead login --email ada@example.org < password', 'without a terminal'],
  ])
}

/** Signs in as a browser does, takes a token of the person with it, and signs out again: the token is what stays. */
async function login(
  { config, printer, signal }: Session,
  { email, scope, days }: LoginOptions,
): Promise<void> {
  const visit = createVisitor(config.managerUrl)
  const who = email ?? (await askText('E-mail address: ', signal))
  if (!who) {
    throw EMAIL_MISSING()
  }
  // Without a terminal all of standard input is read at once.
  const [password = '', given] = (await askHidden('Password (not shown): ')).split('\n')
  const { next } = await visit<SignedIn>('POST', '/sign-in', { email: who, password })
  if (next === 'second-factor') {
    const code = given ?? (await askText('Code of the second factor: ', signal)) ?? ''
    await visit<SignedIn>('POST', '/sign-in/second-factor', { code })
  }
  try {
    const name = `fairlead login on ${hostname()}`.slice(0, 100)
    const scopes = scope.length === 0 ? {} : { scopes: scope }
    const made = await visit<MadeToken>('POST', '/tokens', { name, days: Number(days), ...scopes })
    const file = loginFileOf(config.dataFolder, config.managerUrl)
    keepLogin(file, { token: made.token, id: made.details.id })
    printer.answer({
      manager: config.managerUrl,
      email: made.details.person,
      expires_at: made.details.expires_at,
      file,
    })
    printer.line(
      `Signed in at ${config.managerUrl} as ${made.details.person}, until ${made.details.expires_at}.`,
    )
    printer.line(`The token is in ${file}. "fairlead logout" ends it.`)
  } finally {
    await visit('POST', '/sign-out')
  }
}
