import type { Command } from 'commander'
import { createClient } from '#cli/client.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { forgetLogin, loginFileOf, readLogin } from '#cli/login-file.ts'
import { LOGIN_MISSING } from '#cli/people-errors.ts'
import type { Session } from '#cli/session.ts'
import { FairleadError } from '#lib/errors.ts'

export function configureLogout(command: Command, act: Act): void {
  command.action(act(logout))
  withExamples(command, [['fairlead logout', 'the token of the login opens nothing from then on']])
}

async function logout({ config: { dataFolder, managerUrl }, printer }: Session): Promise<void> {
  const file = loginFileOf(dataFolder, managerUrl)
  const kept = readLogin(file)
  if (!kept) {
    throw LOGIN_MISSING(managerUrl)
  }
  const client = createClient({ managerUrl, token: kept.token, tokenFile: undefined })
  try {
    await client.send('DELETE', `/tokens/${kept.id}`)
  } catch (error) {
    // It has ended already. Where the manager does not answer the token stays good, so the file stays too.
    if (!(error instanceof FairleadError) || (error.status !== 401 && error.status !== 404)) {
      throw error
    }
  }
  forgetLogin(file)
  printer.answer({ manager: managerUrl, signed_out: true })
  printer.line(`Signed out at ${managerUrl}.`)
}
