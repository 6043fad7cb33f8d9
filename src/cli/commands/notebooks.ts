import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readList } from '#cli/page.ts'
import type { Session } from '#cli/session.ts'
import type { NotebookDocument } from '#contract/rest/notebooks.ts'

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
  withExamples(command, [
    ['fairlead notebooks', 'every project, its link and its state'],
    ['fairlead notebooks list --search churn', 'those that are about churn'],
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
    items.map(({ slug, title, repository: of, folder, server, url }) => [
      slug,
      title,
      of,
      folder,
      server,
      url ?? '-',
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
