import type { ListedContainer } from '#programs/container-list.ts'
import type { Hands } from './command.ts'
import { PROJECT_LABEL } from './compose-data.ts'
import { readOwner } from './compose-store.ts'
import { LABEL } from './container-data.ts'

/** `docker compose run`: a task of a person, which ends by itself. */
const ONE_OFF_LABEL = 'com.docker.compose.oneoff'

/** The app whose deployment made it. The app's label alone says nothing: whatever is run from its image inherits it. */
export function makerOf({ labels }: Pick<ListedContainer, 'labels'>): string | undefined {
  return labels[LABEL.config] === undefined ? undefined : labels[LABEL.app]
}

/** Compose project -> app. */
export async function ownersOf(
  hands: Hands,
  listed: readonly ListedContainer[],
): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  for (const { labels } of listed) {
    const app = makerOf({ labels })
    const project = labels[PROJECT_LABEL]
    if (app !== undefined && project !== undefined) {
      owners.set(project, app)
    }
  }
  for (const { labels } of listed) {
    const project = labels[PROJECT_LABEL]
    if (project !== undefined && !owners.has(project) && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(project)) {
      owners.set(project, (await readOwner(hands, project))?.app ?? '')
    }
  }
  return owners
}

export function ownerIn(
  owners: ReadonlyMap<string, string>,
  { labels }: Pick<ListedContainer, 'labels'>,
): string | undefined {
  const project = labels[PROJECT_LABEL]
  if (project !== undefined && labels[ONE_OFF_LABEL] !== 'False') {
    return undefined
  }
  return (makerOf({ labels }) ?? owners.get(project ?? '')) || undefined
}
