import type { Command } from 'commander'
import { configureAgent } from '#cli/agent-commands.ts'
import { type Act, withExamples } from '#cli/command.ts'

export function configureGuardian(command: Command, act: Act): void {
  configureAgent(command, act, 'guardian')
  withExamples(command, [
    ['fairlead guardian join FLD1.… --manager https://fairlead.example.org', 'enrols this guardian'],
    ['fairlead guardian init > box-guardian.json', 'makes its keys and prints the public identity'],
    ['fairlead guardian trust manager.json', 'pins the manager'],
    ['fairlead guardian', 'serves; what may be opened stands in a file (docs/firewall.md)'],
  ])
}
