import type { ServiceBuild } from '#commands/compose-data.ts'
import { imageBuild, imageContent } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { type AppFacts, filesOf, type RegistryFacts, type SourceFacts, type Tell, tell } from './target.ts'

export interface BuiltServices {
  readonly app: AppFacts
  readonly source: SourceFacts
  readonly services: Readonly<Record<string, { readonly build?: ServiceBuild }>>
  readonly registry: RegistryFacts | undefined
}

/** Asks which images the services have that are built here, by their content. Nothing when none is. */
export function contentTells({ app, source, services, registry }: BuiltServices): readonly Tell[] {
  const images = Object.entries(services).flatMap(([name, { build }]) => {
    if (!build) {
      return []
    }
    const { secrets, ...what } = build
    return [
      {
        key: name,
        ...what,
        secretNames: Object.keys(secrets).sort(),
        repositoryName: `${app.name}-${name
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, '-')
          .replace(/^-|-$/g, '')}`,
        ...(registry ? { registry } : {}),
      },
    ]
  })
  return images.length === 0 ? [] : [tell('images', imageContent, { ...filesOf(source), images })]
}

export interface BuiltImage extends Omit<BuiltServices, 'services'> {
  readonly build: ServiceBuild | undefined
  readonly image: ImageContent | undefined
}

/** `values`: variables of the app, by the name that a build's secret has them under. */
export function buildImageTell(
  { app, source, registry, build, image }: BuiltImage,
  name: string,
  values: Readonly<Record<string, string>>,
): Tell {
  const {
    context,
    dockerfile,
    args,
    target,
    secrets = {},
  } = build ?? { context: '.', dockerfile: 'Dockerfile', args: {}, target: undefined }
  const digest = image?.registryDigest
  return tell(`build:${name}`, imageBuild, {
    app: app.name,
    ...filesOf(source),
    context,
    dockerfile,
    args,
    ...(target ? { target } : {}),
    secrets: Object.fromEntries(
      Object.entries(secrets).map(([id, variable]) => [id, values[variable] ?? '']),
    ),
    reference: image?.reference ?? '',
    registries: registry ? [registry] : [],
    ...(registry && digest ? { fetch: { registry, digest } } : {}),
  })
}
