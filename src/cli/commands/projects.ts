import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'
import type { ProjectDetail } from '#contract/rest/projects.ts'

export function configureProjects(command: Command, act: Act): void {
  command.command('list', { isDefault: true }).description('lists projects').action(act(list))
  command
    .command('show')
    .description('shows members, apps and repositories of a project')
    .argument('<project>')
    .action(act(show))
  command.command('add').description('makes a project').argument('<project>').action(act(add))
  command
    .command('remove')
    .description('removes a project; its apps and repositories stay')
    .argument('<project>')
    .action(act(remove))
  command
    .command('member')
    .description('gives a person a role in a project; none: takes it away')
    .argument('<project>')
    .argument('<e-mail>')
    .argument('<role>', 'viewer, deployer, maintainer, admin or none')
    .action(act(member))
  command
    .command('bring')
    .description('brings an app or a repository into a project')
    .argument('<project>')
    .argument('<kind>', 'app or repository; the apps of a repository come with it')
    .argument('<name>')
    .option('--owner <e-mail>', 'may do with it what a maintainer may')
    .action(act(bring))
  withExamples(command, [
    ['fairlead projects add shop', 'a team'],
    ['fairlead projects bring shop repository acme-shop', 'with all of its apps'],
    ['fairlead projects member shop ada@example.org deployer', 'sees and deploys them, and nothing else'],
  ])
}

async function list({ client, printer }: Session): Promise<void> {
  const answer = await client.get<{ items: { name: string; role: string | null }[] }>('/projects')
  printer.answer(answer)
  printer.table(
    ['project', 'your role'],
    answer.items.map(({ name, role }) => [name, role ?? 'none']),
  )
}

async function show({ client, printer }: Session, project: string): Promise<void> {
  tell(printer, await client.get<ProjectDetail>(`/projects/${encodeURIComponent(project)}`))
}

async function add({ client, printer }: Session, project: string): Promise<void> {
  tell(printer, await client.send<ProjectDetail>('POST', '/projects', { name: project }))
}

async function remove({ client, printer }: Session, project: string): Promise<void> {
  await client.send('DELETE', `/projects/${encodeURIComponent(project)}`)
  printer.answer({ removed: project })
  printer.line(`${project} is no project any more.`)
}

async function member(
  { client, printer }: Session,
  project: string,
  email: string,
  role: string,
): Promise<void> {
  const body = { email, role: role === 'none' ? null : role }
  tell(printer, await client.send('PUT', `/projects/${encodeURIComponent(project)}/members`, body))
}

async function bring(
  { client, printer }: Session,
  project: string,
  kind: string,
  name: string,
  { owner }: { readonly owner?: string },
): Promise<void> {
  const body = { kind, name, ...(owner === undefined ? {} : { owner }) }
  tell(printer, await client.send('PUT', `/projects/${encodeURIComponent(project)}/items`, body))
}

function tell(printer: Session['printer'], project: ProjectDetail): void {
  printer.answer(project)
  printer.table(
    [project.name, '', ''],
    [
      ...project.members.map(({ email, role }) => ['member', email, role]),
      ...project.items.map(({ kind, name, owner }) => [kind, name, owner === null ? '' : `of ${owner}`]),
    ],
  )
}
