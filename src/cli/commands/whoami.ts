import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'
import type { MeDocument } from '#contract/rest/people.ts'

export function configureWhoami(command: Command, act: Act): void {
  command.action(act(whoami))
  withExamples(command, [['fairlead whoami', 'who speaks when a command asks the manager']])
}

async function whoami({ client, printer }: Session): Promise<void> {
  const me = await client.get<MeDocument>('/me')
  printer.answer(me)
  const { kind, name, email, role, projects, scopes } = me
  printer.line(`${email ?? name} (${kind}) at ${client.url}`)
  printer.line(`Everywhere: ${role ?? 'no role'}${scopes ? `, for ${scopes.join(', ')}` : ''}`)
  for (const project of projects) {
    printer.line(`In ${project.name}: ${project.role}`)
  }
}
