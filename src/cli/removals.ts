import type { Command } from 'commander'
import type { HeldRemovalList, RemovalsBody } from '#contract/rest/removals.ts'
import type { Act } from './command.ts'
import { ago } from './duration.ts'
import type { Session } from './session.ts'

interface RemovalOptions {
  readonly goOn?: true
}

/** `repositories removals`: apps that go on although their files want them no more. */
export function configureRemovals(command: Command, act: Act): void {
  command
    .description('apps that its files want no more and that wait for a person')
    .argument('<repository>')
    .option('--go-on', 'remove them; volumes stay')
    .action(act(removals))
}

const REASONS = {
  many: 'more than half of its apps at once',
  moved: 'all of its apps, since branch or address was changed',
  approval: 'its deployments need an approval',
}

async function removals(
  { client, printer, clock }: Session,
  name: string,
  { goOn }: RemovalOptions,
): Promise<void> {
  const path = `/repositories/${encodeURIComponent(name)}/removals`
  const seen = await client.get<HeldRemovalList>(path)
  const waiting = seen.items.filter(({ allowed_by }) => allowed_by === null).map(({ app }) => app)
  const body: RemovalsBody = { apps: waiting }
  const found = goOn && waiting.length > 0 ? await client.send<HeldRemovalList>('POST', path, body) : seen
  printer.answer(found)
  if (found.items.length === 0) {
    printer.line(`${name}: no removal waits.`)
    return
  }
  printer.table(
    ['app', 'why', 'commit', 'since', 'agreed'],
    found.items.map(({ app, why, commit, since, allowed_by }) => [
      ...[app, REASONS[why], commit.slice(0, 12), ago(since, clock.now()), allowed_by ?? '-'],
    ]),
  )
  if (goOn) {
    printer.line('They are removed now, unless their files are back: see "fairlead status".')
  } else if (waiting.length > 0) {
    printer.line(`They go on. "fairlead repositories removals ${name} --go-on" removes them; volumes stay.`)
  }
}
