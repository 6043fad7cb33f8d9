import { type Command, Option } from 'commander'
import type { ReportChange, RepositoryDocument } from '#contract/rest/repositories.ts'
import type { Act } from './command.ts'
import { readFileText } from './credential.ts'
import type { Session } from './session.ts'

interface ReportOptions {
  readonly off?: true
  readonly gitHost?: string
  readonly api?: string
  readonly tokenFile?: string
  readonly username?: string
  readonly deployments?: 'on' | 'off'
  readonly details?: 'on' | 'off'
}

/** `repositories report`: what the Git host is told about commits. */
export function configureReport(command: Command, act: Act): void {
  command
    .description('tells the Git host what becomes of its commits; without options shows how that is set')
    .argument('<repository>')
    .option('--token-file <file>', "file with a token for the API; default: the credential's password")
    .option('--git-host <name>', 'github, gitlab, gitea, forgejo, bitbucket or bitbucket-data-center')
    .option('--api <url>', 'where its API is; default: by the address of the repository')
    .option('--username <name>', 'for a token of a person at Bitbucket Cloud')
    .addOption(
      new Option('--deployments <switch>', 'GitHub: keep its deployments too').choices(['on', 'off']),
    )
    .addOption(
      new Option('--details <switch>', 'name private addresses and the words of errors').choices([
        'on',
        'off',
      ]),
    )
    .option('--off', 'tell it nothing any more')
    .action(act(report))
}

async function report({ client, printer }: Session, name: string, options: ReportOptions): Promise<void> {
  const path = `/repositories/${encodeURIComponent(name)}`
  const change = changeOf(options)
  const repository =
    change === undefined
      ? await client.get<RepositoryDocument>(path)
      : await client.send<RepositoryDocument>('PATCH', path, { report: change })
  const { report: set } = repository
  printer.answer(set)
  if (!set?.on) {
    printer.line(`${name}: its Git host is told nothing.`)
    return
  }
  printer.line(`${name}: ${set.git_host} at ${set.api} is told what becomes of each commit.`)
  if (set.token === 'none') {
    printer.line('Nothing is sent yet: give a token with --token-file.')
  }
  if (set.problem) {
    printer.line(set.problem.message)
    printer.line(`hint: ${set.problem.hint}`)
  }
}

/** undefined: it is only looked at. */
function changeOf(options: ReportOptions): ReportChange | undefined {
  if (Object.keys(options).length === 0) {
    return undefined
  }
  const { gitHost, api, tokenFile, username, deployments, details } = options
  return {
    on: options.off !== true,
    ...(gitHost === undefined ? {} : { git_host: gitHost }),
    ...(api === undefined ? {} : { api }),
    ...(tokenFile === undefined ? {} : { token: readFileText(tokenFile).trim() }),
    ...(username === undefined ? {} : { username }),
    ...(deployments === undefined ? {} : { deployments: deployments === 'on' }),
    ...(details === undefined ? {} : { details: details === 'on' }),
  }
}
