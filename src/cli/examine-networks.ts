import { lookup } from 'node:dns/promises'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { FirewallList } from '#contract/rest/firewall.ts'
import { isInternalHost } from '#lib/internal-host.ts'
import type { Checked } from './checked.ts'
import { readList } from './page.ts'
import type { Session } from './session.ts'

/** What each guardian says of the rules that it keeps. */
export async function checkFirewalls({ client }: Session): Promise<readonly Checked[]> {
  const { items } = await client.get<FirewallList>('/firewall')
  return items.map(({ guardian, in_sync, problem, drift, wanted }) => {
    const found = { where: guardian, name: 'firewall' }
    if (problem !== null) {
      return {
        ...found,
        detail: problem,
        mend: `Start the guardian: "systemctl start fairlead-guardian" there.`,
      }
    }
    const unlike = drift[0] ?? 'the rules are not what is wanted'
    return in_sync
      ? { ...found, detail: `${wanted.length} openings, as they are wanted`, mend: null }
      : { ...found, detail: unlike, mend: `"fairlead firewall" shows it; docs/firewall.md.` }
  })
}

/** Whether the public names of apps are known where this command runs. */
export async function checkNames({ client }: Session): Promise<readonly Checked[]> {
  const apps = await readList<AppDocument>(client, '/apps', Number.POSITIVE_INFINITY)
  const names = apps.flatMap(({ name, domains }) =>
    domains.filter(domain => !isInternalHost(domain)).map(domain => ({ where: name, domain })),
  )
  const checked = await Promise.all(
    names.map(async ({ where, domain }) => {
      const reason = await lookup(domain).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      )
      const mend = `Give ${domain} an A or AAAA record with the address of its host.`
      return reason === undefined ? [] : [{ where, name: 'dns', detail: `${domain}: ${reason}`, mend }]
    }),
  )
  return checked.flat()
}
