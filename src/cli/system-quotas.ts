import { type Command, Option } from 'commander'
import type { QuotaBody, QuotaList } from '#contract/rest/systems.ts'
import type { Act } from './command.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { QUOTA_OF_WHOM } from './system-errors.ts'
import { parseAmount, parseSize } from './system-options.ts'

/** What has no bound. */
const ANY = 'any'

export function configureQuotas(command: Command, act: Act): void {
  const amount = (parse: (text: string) => number) => (text: string) => (text === ANY ? null : parse(text))
  command
    .command('quotas')
    .description('lists how much people and hosts may have, or sets it for one')
    .addOption(
      new Option('--person <person>', 'e-mail address; * for whoever has none of their own').conflicts(
        'host',
      ),
    )
    .option('--host <host>', 'name; * for whichever has none of its own')
    .option('--systems <number>', 'at most so many; any: no bound', amount(parseAmount))
    .option('--cpus <number>', 'time of so many processors', amount(parseAmount))
    .option('--memory <size>', 'such as 8g', amount(parseSize))
    .option('--disk <size>', 'such as 100g', amount(parseSize))
    .option('--ports <number>', 'at most so many', amount(parseAmount))
    .action(act(quotas))
}

interface Asked {
  readonly person?: string
  readonly host?: string
  readonly systems?: number | null
  readonly cpus?: number | null
  readonly memory?: number | null
  readonly disk?: number | null
  readonly ports?: number | null
}

async function quotas({ client, printer }: Session, asked: Asked): Promise<void> {
  const { person, host, memory: memory_bytes, disk: disk_bytes, systems, cpus, ports } = asked
  const wanted = Object.entries({ systems, cpus, memory_bytes, disk_bytes, ports }).filter(
    ([, value]) => value !== undefined,
  )
  const before = await client.get<QuotaList>('/system-quotas')
  const name = person ?? host
  if (wanted.length > 0 && name === undefined) {
    throw QUOTA_OF_WHOM()
  }
  if (wanted.length > 0 && name !== undefined) {
    const kind = person === undefined ? 'host' : 'person'
    const had = before.items.find(each => each.kind === kind && each.name === name)
    const { kind: _, name: __, ...kept } = had ?? { ...UNBOUND, kind, name }
    const path = `/system-quotas/${kind}/${encodeURIComponent(name)}`
    await client.send('PUT', path, { ...kept, ...Object.fromEntries(wanted) } satisfies QuotaBody)
  }
  const answer = await client.get<QuotaList>('/system-quotas')
  printer.answer(answer)
  printer.table(
    ['of', 'whom', 'systems', 'cpus', 'memory', 'disk', 'ports'],
    answer.items.map(each => [
      each.kind,
      inertLine(each.name, 60),
      ...[each.systems, each.cpus].map(text),
      ...[each.memory_bytes, each.disk_bytes].map(bytes =>
        text(bytes && `${Math.round(bytes / 2 ** 20)} MiB`),
      ),
      text(each.ports),
    ]),
  )
}

const UNBOUND = { systems: null, cpus: null, memory_bytes: null, disk_bytes: null, ports: null }

function text(value: number | string | null): string {
  return value === null ? ANY : String(value)
}
