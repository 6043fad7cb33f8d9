import { addressOfPlace } from '#lib/place.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'

/** What a repository says about an app that runs, in a file called URL.md. */
export interface UrlFacts {
  readonly app: string
  readonly path: string
  readonly domains: readonly string[]
  /** The commit that runs. */
  readonly commit: string
  /** Of the proxy of its host; absent: the usual ones. */
  readonly visitors?: VisitorPorts | undefined
}

const VERSION = 1

/**
 * The block of an app. It is made of nothing but what runs: no time and no counter, so that what did not change is not
 * pushed again.
 */
export function urlBlock({ app, path, domains, commit, visitors }: UrlFacts) {
  const urls = domains.map(place => addressOfPlace(place, visitors))
  const links = domains.map((host, index) => `[${host}](${urls[index]})`)
  const data = { v: VERSION, app, status: 'live', url: urls[0], urls, commit }
  const text = [
    '| | |',
    '|---|---|',
    `| **Open** | ${links.join(', ')} |`,
    '| **Status** | live |',
    `| **Version** | \`${commit.slice(0, 12)}\` |`,
    '',
    // Two hyphens could end the comment, and stand in every internationalised name.
    `<!-- fairlead:data ${JSON.stringify(data).replaceAll('--', '-\\u002d')} -->`,
  ].join('\n')
  return { path, marker: `fairlead:${app}`, version: VERSION, text }
}
