import type { Command } from 'commander'
import { configureAgent } from '#cli/agent-commands.ts'
import { type Act, withExamples } from '#cli/command.ts'

export function configureWorker(command: Command, act: Act): void {
  configureAgent(command, act, 'worker')
  withExamples(command, [
    ['fairlead worker join FLD1.… --manager https://fairlead.example.org', 'enrols this host'],
    ['fairlead worker init > box.json', 'makes its keys and prints the public identity'],
    ['fairlead worker trust manager.json', 'pins the manager'],
    ['fairlead worker', 'serves; configured by FAIRLEAD_… variables (docs/running.md)'],
  ])
}
