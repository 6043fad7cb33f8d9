import { type ExpandedNotebooks, expandNotebooks, notebookApps } from '#deploy-file/notebook-apps.ts'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { FoundProjects } from '#targets/notebook-project.ts'

interface Known {
  /** The deploy file that it was made for. */
  readonly key: string
  readonly expanded: ExpandedNotebooks
}

/** By scan: a push asks with each of its projects, and they all have the same one. */
const known = new WeakMap<FoundProjects, Known>()

/** The apps of a scan by what a deploy file names, or all of them without one; made once, whoever asks. */
export function expandOnce(scan: FoundProjects, named: readonly ReadApp[] | undefined): ExpandedNotebooks {
  const key = named ? canonicalJson(named) : ''
  const before = known.get(scan)
  if (before?.key === key) {
    return before.expanded
  }
  const { projects } = scan
  const expanded = named ? expandNotebooks(named, projects) : { ...notebookApps(projects), problems: [] }
  known.set(scan, { key, expanded })
  return expanded
}
