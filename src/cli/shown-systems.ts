import type { SystemDocument, SystemList } from '#contract/rest/systems.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'

export async function listSystems({ client, printer }: Session): Promise<void> {
  const answer = await client.get<SystemList>('/systems')
  printer.answer(answer)
  printer.table(
    ['system', 'owner', 'host', 'state', 'memory', 'cpus', 'log in'],
    answer.items.map(each => [
      each.name,
      inertLine(each.owner, 40),
      each.member === null ? each.host : `${each.host}/${inertLine(each.member, 60)}`,
      each.observed.state,
      `${Math.round(each.memory_bytes / 1_048_576)} MiB`,
      String(each.cpus),
      each.ssh?.command ?? '',
    ]),
  )
}

export async function showSystem({ client, printer }: Session, name: string): Promise<void> {
  const system = await client.get<SystemDocument>(`/systems/${encodeURIComponent(name)}`)
  printer.answer(system)
  const { owner, host, member, image, observed, drift, ssh: login, snapshots } = system
  const place = member === null ? host : `${host}/${inertLine(member, 60)}`
  printer.line(`${name} of ${inertLine(owner, 40)} on ${place}, made of ${image}: ${observed.state}`)
  if (observed.reason !== null || drift.findings > 0) {
    printer.line(
      `  ${inertLine(observed.reason ?? `${drift.findings} differences: fairlead apps drift ${name}`)}`,
    )
  }
  if (login) {
    printer.line(login.command)
  }
  printer.table(
    ['port of the host', 'of the container', 'for'],
    system.ports.map(each => [
      `${each.protocol} ${each.host}`,
      String(each.container),
      each.sources.length === 0 ? 'everybody' : inertLine(each.sources.join(' '), 60),
    ]),
  )
  for (const each of snapshots) {
    printer.line(`snapshot ${each}`)
  }
}
