import type { Command } from 'commander'
import { chooseApp } from '#cli/choose-app.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { inertLine } from '#cli/inert.ts'
import { readList } from '#cli/page.ts'
import type { Session } from '#cli/session.ts'
import type { ReleaseDocument } from '#contract/rest/apps.ts'

const MOST = 20

export function configureReleases(command: Command, act: Act): void {
  command.argument('[app]', 'which app; needed when there are several').action(act(releases))
  withExamples(command, [['fairlead releases shop', 'newest first; the first one runs']])
}

async function releases({ client, printer }: Session, named: string | undefined): Promise<void> {
  const app = await chooseApp(client, named)
  const items = await readList<ReleaseDocument>(client, `/apps/${app}/releases`, MOST)
  printer.answer({ items })
  printer.table(
    ['release', 'commit', 'subject', 'images', 'made'],
    items.map(release => [
      release.id,
      release.commit.slice(0, 12),
      inertLine(release.commit_subject ?? '', 40),
      release.images.some(({ pinned }) => pinned === null) ? 'on the host only' : 'in a registry',
      release.restored_from ? `${release.created_at} (brought back)` : release.created_at,
    ]),
  )
}
