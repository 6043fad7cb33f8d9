import type { RegistryData } from '#commands/image-data.ts'
import { TAG_RESERVED } from '#commands/image-publish-errors.ts'
import type { PublishedName } from '#commands/image-published.ts'
import {
  IMAGE_PATH_PATTERN,
  isReservedTag,
  PUSHABLE_REFERENCE_PATTERN,
  parseReference,
} from '#formats/image-reference.ts'
import { NO_REGISTRY, SERVICE_NAME_DIFFERS } from './artifact-errors.ts'
import { type BuildWants, buildSecretsOf, buildWantsOf, revealedValue } from './build-settings.ts'
import { readImageRelease } from './image-release.ts'
import type { ImageSettings } from './image-settings.ts'
import { serviceNameOf, shortCommit, versionOf } from './image-version.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'
import type { LookInput } from './target.ts'

export interface PushTarget extends PublishedName {
  /** It may mean another image from now on. */
  readonly mayMove: boolean
}

/** The settings with everything filled in. */
export interface ImageWants {
  readonly build: BuildWants
  readonly buildSecrets: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly version: string
  /** `name:version`, as the image is called on the host. */
  readonly image: string
  readonly targets: readonly PushTarget[]
}

/** What the settings come to at this commit; undefined for one without a tag, where tags say the version. */
export function imageWantsOf(input: LookInput<ImageSettings>): ImageWants | undefined {
  const { goal, wanted, app } = input
  // What is brought back is what it was.
  const { service_name: name = serviceNameOf(input), version = versionOf(input) } = readImageRelease(goal)
  if (version === undefined) {
    return undefined
  }
  const parsed = parseReference(name)
  if (!new RegExp(IMAGE_PATH_PATTERN).test(name) || parsed?.host !== undefined || name.length > 200) {
    throw APP_SETTING_WRONG('name', `${JSON.stringify(name)} is no name of an image without a registry`)
  }
  refuseReserved(`${name}:${version}`)
  if (wanted?.serviceName !== undefined && wanted.serviceName !== name) {
    throw SERVICE_NAME_DIFFERS(wanted.serviceName, app.name, name)
  }
  return {
    build: buildWantsOf(input.settings),
    buildSecrets: goal ? {} : buildSecretsOf(input),
    serviceName: name,
    version,
    image: `${name}:${version}`,
    targets: targetsOf(input, { name, version }),
  }
}

interface Named {
  readonly name: string
  readonly version: string
}

function targetsOf(input: LookInput<ImageSettings>, named: Named): readonly PushTarget[] {
  const { settings, registry, app } = input
  const entries = settings.push ?? (registry ? [`${registry.address}/{name}:{version}`] : undefined)
  if (!entries) {
    throw NO_REGISTRY(app.name)
  }
  const targets = entries.map((entry, index) => targetOf(input, { named, entry, where: `push[${index}]` }))
  const twice = targets.find((each, index) =>
    targets.slice(0, index).some(({ reference }) => reference === each.reference),
  )
  if (twice) {
    throw APP_SETTING_WRONG('push', `${twice.reference} is there twice`)
  }
  return targets
}

interface Entry {
  readonly named: Named
  readonly entry: NonNullable<ImageSettings['push']>[number]
  readonly where: string
}

function targetOf(input: LookInput<ImageSettings>, { named, entry, where }: Entry): PushTarget {
  const { settings, source } = input
  const given = typeof entry === 'string' ? entry : entry.reference
  // A colon in front of the last slash belongs to the port.
  const written = /:[^/]*$/.test(given) ? given : `${given}:{version}`
  const values: Readonly<Record<string, string>> = { ...named, commit: shortCommit(source.commit) }
  const reference = written.replace(/\{([a-z]*)\}/g, (text, word: string) => values[word] ?? text)
  const address = parseReference(reference)?.host
  if (!new RegExp(PUSHABLE_REFERENCE_PATTERN).test(reference) || address === undefined) {
    throw APP_SETTING_WRONG(
      where,
      `${JSON.stringify(reference)} is not of the form registry.example.org/name:tag`,
    )
  }
  refuseReserved(reference)
  const tag = written.slice(written.lastIndexOf(':') + 1)
  const isFixed = tag.includes('{version}') || tag.includes('{commit}')
  return {
    reference,
    registry: registryOf(input, { entry, address, where }),
    isUnvouched: address !== input.registry?.address,
    mayMove: settings.overwrite === true || !isFixed || reference.endsWith(':latest'),
  }
}

/** Whoever could push there would decide what others run. */
function refuseReserved(reference: string): void {
  if (isReservedTag(parseReference(reference)?.tag ?? '')) {
    throw TAG_RESERVED(reference)
  }
}

function registryOf(
  input: LookInput<ImageSettings>,
  { entry, address, where }: Omit<Entry, 'named'> & { readonly address: string },
): RegistryData {
  const { username, password, ca } = typeof entry === 'string' ? {} : entry
  if ((username === undefined) !== (password === undefined)) {
    throw APP_SETTING_WRONG(where, 'username and password belong together')
  }
  const revealed = (text: string, key: string) => revealedValue(input, text, `${where}.${key}`)
  const known = input.registry?.address === address ? input.registry : undefined
  const authority = ca === undefined ? known?.ca : revealed(ca, 'ca')
  return {
    address,
    username: username === undefined ? (known?.username ?? '') : revealed(username, 'username'),
    password: password === undefined ? (known?.password ?? '') : revealed(password, 'password'),
    ...(authority === undefined ? {} : { ca: authority }),
  }
}
