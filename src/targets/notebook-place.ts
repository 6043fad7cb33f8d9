import { type Places, placesAt } from '#lib/place.ts'
import { domainsOf } from './container-wants.ts'
import type { NotebookFacts } from './notebook-facts.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import type { AppFacts } from './target.ts'

type Named = Pick<NotebookTargetSettings, 'domain' | 'domains' | 'address'>

/**
 * Where a notebook is found. Notebooks of one host are one origin to a browser, and each could work in another one in its
 * visitor's name: so they share a host only where the administrator lets them and the project itself says that it may.
 */
export function notebookPlaces(settings: Named, app: AppFacts, notebooks?: NotebookFacts): Places {
  const { address, domain, domains } = settings
  const isNamed = domain !== undefined || domains !== undefined
  return notebooks?.mode === 'path' && address === 'path' && !isNamed
    ? { hosts: [sharedHost(notebooks, app)], prefix: `/nb/${app.name}/` }
    : { hosts: domainsOf(settings, app) }
}

/** The host that notebooks share, where they do. */
export function sharedHost(
  notebooks: Pick<NotebookFacts, 'host'> | undefined,
  { baseDomain }: Pick<AppFacts, 'baseDomain'>,
): string {
  return (notebooks?.host ?? `notebooks.${baseDomain}`).toLowerCase()
}

/** The same as claims. */
export function notebookDomains(
  settings: Named,
  app: AppFacts,
  notebooks?: NotebookFacts,
): readonly string[] {
  return placesAt(notebookPlaces(settings, app, notebooks))
}
