import { inspectContainer, listContainers } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { PROJECT_LABEL } from './compose-data.ts'
import { ownedBy, readOwner } from './compose-store.ts'
import { LABEL } from './container-data.ts'

/**
 * Projects of an app on this host, in alphabetical order: those that are written down, and those whose containers say
 * that they are the app's, for a host that lost what it kept. Never one that is written down as another's.
 */
export async function projectsOf(hands: Hands, app: string): Promise<readonly string[]> {
  const { dockerSocket } = hands.host
  const [owned, ids] = await Promise.all([
    ownedBy(hands, app),
    hands.perform(listContainers(dockerSocket, [`${LABEL.app}=${app}`, PROJECT_LABEL])),
  ])
  const known = owned.map(({ name }) => name)
  const facts = await Promise.all(ids.map(id => hands.perform(inspectContainer(dockerSocket, id))))
  const seen = new Set(facts.flatMap(each => each?.labels[PROJECT_LABEL] ?? []))
  const unknown = await Promise.all(
    [...seen]
      .filter(name => !known.includes(name))
      .map(async name => ((await readOwner(hands, name)) === undefined ? [name] : [])),
  )
  return [...known, ...unknown.flat()].sort()
}
