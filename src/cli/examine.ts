import type { AppDocument } from '#contract/rest/apps.ts'
import type { HostCheckList, ManagerCheckList } from '#contract/rest/host-checks.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { RegistryDocument } from '#contract/rest/registry.ts'
import type { RepositoryCheckDocument, RepositoryDocument } from '#contract/rest/repositories.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Checked } from './checked.ts'
import { checkClock, type ToldClock } from './examine-clock.ts'
import { checkFirewalls, checkNames } from './examine-networks.ts'
import { readList } from './page.ts'
import type { Session } from './session.ts'

const DAY_MS = 86_400_000
const RENEW_DAYS = 30

/** So many repositories are read at once: an agent that is busy with all of them would let deployments wait. */
const AT_ONCE = 8

interface Part {
  readonly name: string
  readonly look: (session: Session) => Promise<readonly Checked[]>
}

/** What can be wrong, each part as one entry. A part that cannot be asked is wrong, in the words of its error. */
const PARTS: readonly Part[] = [
  { name: 'disk', look: checkManager },
  { name: 'hosts', look: checkHosts },
  { name: 'firewall', look: checkFirewalls },
  { name: 'registry', look: checkRegistry },
  { name: 'apps', look: checkApps },
  { name: 'dns', look: checkNames },
  { name: 'repositories', look: checkRepositories },
]

/** Looks at everything. Rejects when there is no manager to ask. */
export async function examine(session: Session): Promise<readonly Checked[]> {
  const { client } = session
  await client.get('/hosts')
  const manager = { where: 'manager', name: 'answers', detail: client.url, mend: null }
  const found = await Promise.all(
    PARTS.map(async ({ name, look }) => {
      try {
        return await look(session)
      } catch (error) {
        return [broken('manager', name, error)]
      }
    }),
  )
  return [manager, ...found.flat()]
}

async function checkHosts({ client }: Session): Promise<readonly Checked[]> {
  const { items } = await client.get<{ items: HostDocument[] }>('/hosts')
  if (items.length === 0) {
    const mend = 'Add one: docs/running.md, "More hosts".'
    return [{ where: 'manager', name: 'hosts', detail: 'there is none', mend }]
  }
  const clocks: ToldClock[] = []
  const found = items.map(async host => {
    const { name, online, problem, role, warning, certificate_ends_at: until } = host
    const kept = keeping(host)
    if (!online) {
      const mend = `Start its ${role} ("systemctl start fairlead-${role}" there), and see whether ${name} can be reached.`
      const away = { where: name, name: role, detail: problem ?? 'not connected', mend }
      return [away, ...ending(name, until, warning), ...kept]
    }
    const online_ = { where: name, name: role, detail: 'connected', mend: null }
    const { checks, clock } = await checksOf(client, name)
    clocks.push(...clock)
    return [online_, ...ending(name, until, warning), ...kept, ...checks]
  })
  return [...(await Promise.all(found)).flat(), ...checkClock(clocks)]
}

function ending(where: string, until: string, warning: string | null): readonly Checked[] {
  return warning === null
    ? []
    : [{ where, name: 'certificate', detail: `ends on ${until.slice(0, 10)}`, mend: warning }]
}

function keeping({ name, role, guardian, advice }: HostDocument): readonly Checked[] {
  if (role === 'guardian') {
    return []
  }
  const detail = guardian === null ? 'nobody keeps its firewall' : `${guardian} keeps its firewall`
  return [{ where: name, name: 'guardian', detail, mend: null, ...(advice ? { advice } : {}) }]
}

interface FoundThere {
  readonly checks: readonly Checked[]
  /** Of its agent, where that tells. */
  readonly clock: readonly ToldClock[]
}

async function checksOf(client: Session['client'], host: string): Promise<FoundThere> {
  try {
    const path = `/hosts/${encodeURIComponent(host)}/checks`
    const { items, skew_ms: skewMs } = await client.get<HostCheckList>(path)
    const isOff = items.some(({ name, mend }) => name === 'clock' && mend !== null)
    const checks = items.map(item => ({ where: host, ...item }))
    return { checks, clock: typeof skewMs === 'number' ? [{ skewMs, isOff }] : [] }
  } catch (error) {
    return { checks: [broken(host, 'checks', error)], clock: [] }
  }
}

async function checkManager({ client }: Session): Promise<readonly Checked[]> {
  const { items } = await client.get<ManagerCheckList>('/manager/checks')
  return items.map(item => ({ where: 'manager', ...item }))
}

async function checkRegistry({ client, clock }: Session): Promise<readonly Checked[]> {
  const { app, address, configured_by } = await client.get<RegistryDocument>('/registry')
  const where = 'registry'
  if (address === null && app === null) {
    return []
  }
  if (address === null || app === null) {
    const mend = app === null ? null : `Bring it up: "fairlead deploy ${app.name}".`
    return [{ where, name: 'in use', detail: address ?? 'it was never brought up', mend }]
  }
  const days = Math.floor((Date.parse(app.certificate_ends_at) - clock.now()) / DAY_MS)
  const mend = days < RENEW_DAYS ? 'Renew it: "fairlead registry up".' : null
  return [
    { where, name: 'in use', detail: `${address}, as the ${configured_by} says`, mend: null },
    { where, name: 'certificate', detail: `ends in ${days} days`, mend },
  ]
}

async function checkApps({ client }: Session): Promise<readonly Checked[]> {
  const apps = await readList<AppDocument>(client, '/apps', Number.POSITIVE_INFINITY)
  return apps.flatMap(({ name, observed, drift, paused, stopped, deployment }) => {
    const about = (what: string, detail: string, mend: string) => ({ where: name, name: what, detail, mend })
    const isDown = !stopped && ['stopped', 'missing', 'degraded'].includes(observed.state)
    return [
      ...(isDown
        ? [about('runs', observed.reason ?? observed.state, `Deploy it again: "fairlead deploy ${name}".`)]
        : []),
      ...(drift.findings > 0
        ? [
            about(
              'drift',
              drift.reason ?? 'changed by hand',
              `Deploy it again, or let it be repaired: docs/drift.md.`,
            ),
          ]
        : []),
      ...(paused
        ? [about('paused', paused.reason, `When the cause is gone: "fairlead apps resume ${name}".`)]
        : []),
      ...(deployment?.state === 'failed'
        ? [about('deployment', deployment.error?.message ?? 'failed', deployment.error?.hint ?? '')]
        : []),
    ]
  })
}

/** Each is asked at its Git server, by its own host. */
async function checkRepositories({ client }: Session): Promise<readonly Checked[]> {
  const path = '/repositories'
  const repositories = await readList<RepositoryDocument>(client, path, Number.POSITIVE_INFINITY)
  const checked: Checked[] = []
  for (let from = 0; from < repositories.length; from += AT_ONCE) {
    const some = repositories.slice(from, from + AT_ONCE)
    checked.push(...(await Promise.all(some.map(async ({ name }) => await checkRepository(client, name)))))
  }
  return checked
}

async function checkRepository(client: Session['client'], name: string): Promise<Checked> {
  try {
    await client.send<RepositoryCheckDocument>('POST', `/repositories/${encodeURIComponent(name)}/check`)
    return { where: name, name: 'git', detail: 'its server answers', mend: null }
  } catch (error) {
    const { code, message } = asFairleadError(error)
    // That one may not ask says nothing about the repository.
    if (['ROLE_MISSING', 'SCOPE_MISSING'].includes(code)) {
      return { where: name, name: 'git', detail: `not asked: ${message}`, mend: null }
    }
    return broken(name, 'git', error)
  }
}

function broken(where: string, name: string, error: unknown): Checked {
  const { message, hint } = asFairleadError(error)
  return { where, name, detail: message, mend: hint }
}
