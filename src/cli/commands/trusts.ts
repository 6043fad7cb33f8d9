import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { ago } from '#cli/duration.ts'
import { FILE_NOT_READ, TRUST_NOT_UNDERSTOOD } from '#cli/errors.ts'
import type { Session } from '#cli/session.ts'
import type { CiTrustDocument, NewCiTrust } from '#contract/rest/ci-trusts.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'

interface AddOptions {
  readonly app: readonly string[]
  readonly github?: string
  readonly gitlab?: string
  readonly issuer?: string
  readonly branch?: string
  readonly environment?: string
  readonly claim: readonly string[]
  readonly audience?: string
  readonly keys?: string
  readonly ca?: string
}

export function configureTrusts(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists which CI jobs may deploy what')
    .action(act(list))
  configureAdd(command.command('add'), act)
  command
    .command('remove')
    .description('trusts these jobs no more; tokens that they have allow nothing from then on')
    .argument('<trust>')
    .action(act(remove))
  withExamples(command, [
    ['fairlead trusts add shop-ci --app shop --github acme/shop --branch main', 'jobs of GitHub Actions'],
    [
      'fairlead trusts add shop-ci --app shop --gitlab https://gitlab.com/acme/shop --branch main',
      'of GitLab CI',
    ],
    [
      'fairlead trusts add live --app shop --github acme/shop --environment production',
      'only behind its rules',
    ],
    ['fairlead trusts', 'what is trusted, and when it was used last'],
  ])
}

function configureAdd(command: Command, act: Act): void {
  const collect = (value: string, before: readonly string[]) => [...before, value]
  command
    .description('lets jobs of a CI system deploy apps without a stored secret (docs/ci.md)')
    .argument('<name>', 'how the trust is called here')
    .requiredOption('--app <name>', 'what they may deploy; several times for several', collect, [])
    .option('--github <owner/repository>', 'jobs of this repository on github.com')
    .option('--gitlab <url>', 'jobs of this project of GitLab, such as https://gitlab.com/acme/shop')
    .option('--issuer <url>', 'any other issuer of OpenID Connect tokens, or one in place of those')
    .option('--branch <name>', 'only jobs for this branch')
    .option('--environment <name>', 'only jobs in this environment of GitHub or GitLab')
    .option(
      '--claim <name=value>',
      'any claim; a value may end in "*"; several times for several',
      collect,
      [],
    )
    .option('--audience <text>', "what the tokens are made for; default: the manager's public address")
    .option('--keys <file>', 'public keys of the issuer (JWKS), where the manager cannot ask for them')
    .option('--ca <file>', 'certificate of the authority of an issuer of your own')
    .action(act(add))
}

async function list({ client, printer, clock }: Session): Promise<void> {
  const answer = await client.get<{ items: CiTrustDocument[] }>('/ci-trusts')
  printer.answer(answer)
  printer.table(
    ['trust', 'may deploy', 'issuer', 'audience', 'claims', 'used'],
    answer.items.map(trust => [
      trust.name,
      trust.apps.join(', '),
      trust.issuer,
      trust.audience,
      shownClaims(trust),
      trust.last_used_at === null ? 'never' : ago(trust.last_used_at, clock.now()),
    ]),
  )
}

async function add({ client, printer }: Session, name: string, options: AddOptions): Promise<void> {
  const body: NewCiTrust = {
    name,
    ...whoseJobs(options),
    apps: [...options.app],
    ...(options.audience === undefined ? {} : { audience: options.audience }),
    ...(options.keys === undefined ? {} : { keys: readKeys(options.keys) }),
    ...(options.ca === undefined ? {} : { ca: readFileText(options.ca) }),
  }
  const trust = await client.send<CiTrustDocument>('POST', '/ci-trusts', body)
  printer.answer(trust)
  printer.line(`${trust.name}: jobs with ${shownClaims(trust)} may deploy ${trust.apps.join(', ')}.`)
  printer.line(`Their tokens have to be made for the audience ${trust.audience}`)
}

async function remove({ client, printer }: Session, name: string): Promise<void> {
  await client.send('DELETE', `/ci-trusts/${encodeURIComponent(name)}`)
  printer.answer({ removed: name })
  printer.line(`${name} is trusted no more.`)
}

function whoseJobs(options: AddOptions): Pick<NewCiTrust, 'issuer' | 'claims'> {
  const { github, gitlab, issuer, branch, environment } = options
  if ((github === undefined) === (gitlab === undefined) && !(github === undefined && issuer !== undefined)) {
    throw TRUST_NOT_UNDERSTOOD('one of --github, --gitlab and --issuer says whose jobs they are')
  }
  const project = gitlab === undefined ? undefined : projectOf(gitlab)
  const from = project?.issuer ?? GITHUB
  return {
    issuer: issuer ?? from,
    claims: {
      ...(github === undefined ? {} : { repository: github }),
      ...(project ? { project_path: project.path } : {}),
      ...(branch === undefined ? {} : branchClaims(branch, options)),
      ...(environment === undefined ? {} : { environment }),
      ...Object.fromEntries(options.claim.map(claimOf)),
    },
  }
}

/** GitHub gives the whole name of a ref, GitLab its short name and what kind it is. */
function branchClaims(branch: string, { gitlab }: AddOptions): Record<string, string> {
  return gitlab === undefined ? { ref: `refs/heads/${branch}` } : { ref: branch, ref_type: 'branch' }
}

function projectOf(address: string): { issuer: string; path: string } {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const path = url?.pathname.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '') ?? ''
  if (!url || !path.includes('/')) {
    throw TRUST_NOT_UNDERSTOOD(`"${address}" is not the address of a project of GitLab`)
  }
  return { issuer: url.origin, path }
}

function claimOf(text: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw TRUST_NOT_UNDERSTOOD(`"${text}" is no claim and its value`)
  }
  return [name, value]
}

function readKeys(file: string): NonNullable<NewCiTrust['keys']> {
  try {
    return JSON.parse(readFileText(file)) as NonNullable<NewCiTrust['keys']>
  } catch (error) {
    throw error instanceof SyntaxError ? FILE_NOT_READ(file, 'it is no JSON') : error
  }
}

function shownClaims({ claims }: CiTrustDocument): string {
  return Object.entries(claims)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}
