import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readTimeout } from '#cli/duration.ts'
import { readList } from '#cli/page.ts'
import { reportDeployment, type WaitOptions } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import type { ArtifactDocument, NewArtifact, ServiceNameDocument } from '#contract/rest/artifacts.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'

const MOST = 50

interface Filter {
  readonly service?: string
  readonly version?: string
}

interface Build extends WaitOptions {
  readonly type: string
  readonly commit?: string
}

export function configureArtifacts(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists artefacts, newest first')
    .option('--service <name>', 'only of this service')
    .option('--version <text>', 'only this version')
    .action(act(list))
  command
    .command('show')
    .description('shows one artefact with its references and digests')
    .argument('<id>', 'as the list gives it')
    .action(act(show))
  command
    .command('build')
    .description('builds a version of a service and pushes it')
    .argument('<service>', 'name of the service, or of the app that makes it')
    .argument('<version>', 'such as 1.2.0')
    .option('--type <type>', 'docker is the only one', 'docker')
    .option('--commit <id>', 'the full id of a commit; default: the newest of the branch')
    .option('-w, --wait', 'show the steps and end with the deployment')
    .option('--timeout <duration>', 'with --wait: how long, such as 20m; the deployment goes on', readTimeout)
    .action(act(build))
  command
    .command('forget')
    .description('takes an artefact out of the list; nothing is deleted in registries')
    .argument('<id>', 'as the list gives it')
    .action(act(forget))
  command
    .command('names')
    .description('lists which repository makes artefacts of which name')
    .action(act(names))
  command
    .command('grant')
    .description('gives the name of a service to a repository, whoever had it')
    .argument('<service>')
    .argument('<repository>')
    .action(act(grant))
  command
    .command('release')
    .description('frees the name of a service for the next repository that makes it')
    .argument('<service>')
    .action(act(release))
  withExamples(command, [
    ['fairlead artifacts', 'what was made, newest first'],
    ['fairlead artifacts build api 1.2.0 --wait', 'makes api:1.2.0 and sees it into its registries'],
  ])
}

async function list({ client, printer }: Session, { service, version }: Filter): Promise<void> {
  const query = new URLSearchParams({
    ...(service === undefined ? {} : { service_name: service }),
    ...(version === undefined ? {} : { version }),
  })
  const items = await readList<ArtifactDocument>(client, `/artifacts?${query}`, MOST)
  printer.answer({ items })
  printer.table(
    ['artifact', 'image', 'commit', 'references', 'MB', 'made'],
    items.map(each => [
      each.id,
      each.image,
      each.commit.slice(0, 12),
      each.references.length === 0 ? 'on the host only' : String(each.references.length),
      each.bytes === null ? '-' : (each.bytes / 1_000_000).toFixed(1),
      each.created_at,
    ]),
  )
}

async function show({ client, printer }: Session, id: string): Promise<void> {
  const artifact = await client.get<ArtifactDocument>(`/artifacts/${encodeURIComponent(id)}`)
  printer.answer(artifact)
  printer.line(`${artifact.image} of commit ${artifact.commit}, by deployment ${artifact.deployment}`)
  printer.table(
    ['reference', 'digest'],
    artifact.references.map(({ reference, digest }) => [reference, digest]),
  )
}

async function build(session: Session, service: string, version: string, options: Build): Promise<number> {
  const { type, commit } = options
  const body: NewArtifact = {
    ...{ service_name: service, version, type },
    ...(commit === undefined ? {} : { commit }),
  }
  const deployment = await session.client.send<DeploymentDocument>('POST', '/artifacts', body)
  return await reportDeployment(session, deployment, options)
}

async function forget({ client, printer }: Session, id: string): Promise<void> {
  await client.send('DELETE', `/artifacts/${encodeURIComponent(id)}`)
  printer.answer({ removed: id })
  printer.line(`${id} is out of the list. Its image stays in registries until you delete it there.`)
}

async function names({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: ServiceNameDocument[] }>('/service-names')
  printer.answer(answer)
  printer.table(
    ['service', 'repository', 'first app', 'since'],
    answer.items.map(each => [each.name, each.repository, each.app ?? '(granted)', each.since]),
  )
}

async function grant({ client, printer }: Session, service: string, repository: string): Promise<void> {
  const path = `/service-names/${encodeURIComponent(service)}`
  printer.answer(await client.send<ServiceNameDocument>('PUT', path, { repository }))
  printer.line(`Artefacts called ${service} are made by the repository ${repository} from now on.`)
}

async function release({ client, printer }: Session, service: string): Promise<void> {
  await client.send('DELETE', `/service-names/${encodeURIComponent(service)}`)
  printer.answer({ released: service })
  printer.line(`${service} belongs to the next repository that makes an artefact of that name.`)
}
