import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import type { Session } from '#cli/session.ts'
import type { NotebookDocument, NotebookPackagesDocument } from '#contract/rest/notebooks.ts'

const MOST = 500

interface Filter {
  readonly search?: string
  readonly repository?: string
}

export function configureNotebooks(command: Command, act: Act): void {
  command
    .command('list', { isDefault: true })
    .description('lists notebook projects with where they are opened')
    .option('--search <words>', 'only those with these words in title, folder or tags')
    .option('--repository <name>', 'only of this repository')
    .action(act(list))
  command
    .command('packages')
    .argument('<notebook>', 'slug of the project')
    .description('shows which packages, in which versions, its environment has')
    .action(act(packages))
  withExamples(command, [
    ['fairlead notebooks', 'every project, its link and its state'],
    ['fairlead notebooks list --search churn', 'those that are about churn'],
    ['fairlead notebooks packages churn', 'what its requirements resolved to'],
  ])
}

async function list({ client, printer }: Session, { search, repository }: Filter): Promise<void> {
  const query = new URLSearchParams({
    ...(search === undefined ? {} : { search }),
    ...(repository === undefined ? {} : { repository }),
  })
  const items = await readList<NotebookDocument>(client, `/notebooks?${query}`, MOST)
  printer.answer({ items })
  printer.table(
    ['notebook', 'title', 'repository', 'folder', 'state', 'link'],
    items.map(({ slug, title, repository: of, folder, server, status, url, preview }) => [
      slug,
      title,
      of,
      folder,
      status === 'preview' ? status : server,
      url ?? preview ?? '-',
    ]),
  )
  for (const { slug, error } of items) {
    if (error !== null) {
      printer.line(`${slug}: ${error}`)
    }
  }
  const problems = new Map(items.map(({ repository: of, links }) => [of, links]))
  for (const [of, { problem, warnings }] of problems) {
    for (const text of [...(problem ? [`${problem.message} ${problem.hint}`] : []), ...warnings]) {
      printer.line(`links of ${of}: ${text}`)
    }
  }
}

async function packages({ client, printer }: Session, notebook: string): Promise<void> {
  const path = `/notebooks/${encodeURIComponent(notebook)}/packages`
  const found = await client.get<NotebookPackagesDocument>(path)
  const { environment, tool, read_at: at, packages: lines, is_cut: isCut } = found
  printer.answer(found)
  printer.note(
    tool === null
      ? `nothing is known of the packages of the environment ${environment}`
      : `environment ${environment}: ${tool}, ${at}`,
  )
  for (const line of lines) {
    printer.line(inertLine(line, 500))
  }
  if (isCut) {
    printer.note('… and more')
  }
}
