import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { type CredentialOptions, withCredentialOptions } from '#cli/credential.ts'
import type { Session } from '#cli/session.ts'

interface Options extends CredentialOptions {
  readonly branch?: string
  readonly exit?: boolean
}

export function configureDemo(command: Command, act: Act): void {
  command
    .argument('[repository]', 'Git URL or local checkout of your own; default: the examples of Fairlead')
    .option('--exit', 'stop after the check, clean up, and print one line of JSON at the end')
    .option('--branch <name>', 'of your repository; default: main, of a local checkout the one it is on')
  withCredentialOptions(command).action(act(demo))
  withExamples(command, [
    ['fairlead demo', 'deploys the examples, changes them, and stays up to play with'],
    ['fairlead demo --exit', 'the same as a check; exit code 0 only if all of it worked'],
    [
      'fairlead demo https://git.example.org/me/site.git',
      'with a repository of your own; it is never pushed to',
    ],
    ['fairlead demo . --exit', 'can this checkout be deployed and replaced without a failed request?'],
  ])
}

async function demo(session: Session, repository: string | undefined, options: Options): Promise<number> {
  const { runDemo } = await import('#cli/demo/run-demo.ts')
  return await runDemo(session, {
    ...options,
    repository,
    afterwards: options.exit === true ? 'exit' : 'stay',
  })
}
