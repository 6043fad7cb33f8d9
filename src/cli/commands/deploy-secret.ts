import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { SETTING_MISSING, STACK_NAME_WRONG } from '#cli/deployer-errors.ts'
import type { Session } from '#cli/session.ts'
import { STACK_NAME } from '#lib/stack-name.ts'
import { stackSecret } from '#lib/stack-secret.ts'

export function configureDeploySecret(command: Command, act: Act): void {
  command.argument('<stack>').action(act(printSecret))
  command.addHelpText(
    'after',
    '\nIt is made from DEPLOY_SECRET or DEPLOY_SECRET_FILE of the manager and stays the same; docs/deployer.md has it in openssl too.',
  )
  withExamples(command, [
    ['fairlead deploy-secret media', 'for the CI of one stack: it signs calls for no other'],
  ])
}

async function printSecret({ config, printer }: Session, stack: string): Promise<void> {
  const { DEPLOY_SECRET, DEPLOY_SECRET_FILE: file } = config.environment
  const master = DEPLOY_SECRET ?? (file === undefined ? '' : readFileText(file).replace(/\r?\n$/, ''))
  if (master.trim() === '') {
    throw SETTING_MISSING('DEPLOY_SECRET', 'A stack')
  }
  if (!new RegExp(STACK_NAME).test(stack)) {
    throw STACK_NAME_WRONG(stack)
  }
  const secret = stackSecret(master, stack)
  printer.answer({ stack, secret })
  printer.line(secret)
}
