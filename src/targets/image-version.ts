import { compareVersions } from '#formats/version-order.ts'
import { VERSION_REFUSED, VERSION_UNKNOWN } from './artifact-errors.ts'
import type { ImageSettings } from './image-settings.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'
import type { LookInput } from './target.ts'
import { readVersionFile, type VersionFacts } from './version-file.ts'

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const SHORT = 12
const WORDS = ['commit', 'tag', 'request'] as const

type Input = Pick<LookInput<ImageSettings>, 'settings' | 'source' | 'wanted' | 'found' | 'app'>

/** The version of the artefact: checked. Undefined for a commit without a tag, where tags say it. */
export function versionOf(input: Input): string | undefined {
  const { settings, wanted, source, app } = input
  if (wanted?.version !== undefined) {
    return checked(wanted.version, 'as it was asked for')
  }
  const { version = { from: 'commit' } } = settings
  if (typeof version === 'string') {
    return checked(version, '"version" of the deploy file')
  }
  switch (version.from) {
    case 'commit':
      return shortCommit(source.commit)
    case 'request':
      throw VERSION_UNKNOWN(app.name, 'it is to be named with the deployment, and was not')
    case 'tag': {
      const tag = newestTag((input.found.tags as { tags: readonly string[] } | undefined)?.tags ?? [])
      return tag === undefined ? undefined : checked(tag, 'the tag of the commit')
    }
    default:
      return versionInFile(input, version.from)
  }
}

export function shortCommit(commit: string): string {
  return commit.slice(0, SHORT)
}

/** The name of the service, as the settings or the version's file have it. */
export function serviceNameOf({ settings, source, app }: Input): string {
  const path = versionPath(settings)
  const text = path === undefined ? undefined : source.texts[path]
  return (
    settings.name ??
    (path !== undefined && text !== undefined ? readVersionFile(path, text).serviceName : undefined) ??
    app.name
  )
}

/** The file that says the version. */
export function versionPath({ version }: ImageSettings): string | undefined {
  if (typeof version !== 'object' || WORDS.some(word => word === version.from)) {
    return undefined
  }
  const path = version.from.replace(/^\.\//, '')
  if (path.startsWith('/') || path.split('/').includes('..') || /[*?\\\p{Cc}]/u.test(path)) {
    throw APP_SETTING_WRONG('version.from', 'it is no path of a file in the repository')
  }
  return path
}

export function wantsTags({ settings, wanted }: Pick<Input, 'settings' | 'wanted'>): boolean {
  const { version } = settings
  return wanted?.version === undefined && typeof version === 'object' && version.from === 'tag'
}

function versionInFile({ settings, source, app }: Input, from: string): string {
  const path = versionPath(settings) ?? from
  const text = source.texts[path]
  if (text === undefined) {
    throw VERSION_UNKNOWN(app.name, `there is no file "${path}" at commit ${shortCommit(source.commit)}`)
  }
  const { version }: VersionFacts = readVersionFile(path, text)
  if (version === undefined) {
    throw VERSION_UNKNOWN(app.name, `"${path}" does not say one at commit ${shortCommit(source.commit)}`)
  }
  return checked(version, path)
}

/** Of several tags the highest one that looks like a version; a moving one such as "latest" says nothing. */
function newestTag(tags: readonly string[]): string | undefined {
  const versions = tags.filter(tag => /^v?\d/.test(tag))
  return [...(versions.length > 0 ? versions : tags)].sort(compareVersions).at(-1)
}

function checked(version: string, where: string): string {
  if (!TAG.test(version)) {
    throw VERSION_REFUSED(version.slice(0, 200), where)
  }
  return version
}
