import { trimEnd } from '#lib/trim-end.ts'
import type { Target } from '#targets/target.ts'
import type { ReadApp } from './parse.ts'

export interface Tree {
  /** All paths of the checkout. */
  readonly paths: readonly string[]
  /** Texts of the files that were read. */
  readonly texts: Readonly<Record<string, string>>
  /** `owner/name`, a URL or a name: the app is called after it. */
  readonly repositoryName: string
  /** The Compose file that a person named: then it is the app, and no other file is asked. */
  readonly composePath?: string | undefined
  /** In the order in which they are asked whether the checkout is theirs. */
  readonly targets: readonly Target[]
}

const MAX_NAME = 40

/** The apps of a checkout without a deploy file: one, of the first target that knows what to do with the files. */
export function detectApps({ paths, texts, repositoryName, composePath, targets }: Tree): ReadApp[] {
  const source = { commit: '', branch: '', repository: repositoryName, texts, paths }
  for (const target of targets) {
    const settings = target.detect(source, composePath)
    if (settings !== undefined) {
      return [{ name: appNameOf(repositoryName), target: target.name, settings, common: {} }]
    }
  }
  return []
}

/** A repository's name as the name of an app: `https://git.example/Team/Web_Shop.git` is `web-shop`. */
export function appNameOf(repositoryName: string): string {
  const last = trimEnd(repositoryName, '/').split(/[/:]/).at(-1) ?? ''
  const name = last
    .replace(/\.git$/i, '')
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^-+|-+$/g, '')
  return name || 'app'
}
