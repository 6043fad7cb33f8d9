import { type Static, Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { ImageName, LABEL } from './container-data.ts'
import { PushableReference, RegistryData } from './image-data.ts'
import { askContent, type ManifestContent } from './image-manifest.ts'
import { PUSH_NOT_CONFIRMED } from './image-publish-errors.ts'

const strict = { additionalProperties: false } as const
const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })

/** A name of an image in a registry. */
export const PublishedName = {
  reference: PushableReference,
  registry: RegistryData,
  /** Nobody but the repository names its registry: that must not have a private address. */
  isUnvouched: Type.Boolean(),
}
const _Name = Type.Object(PublishedName, strict)
export type PublishedName = Static<typeof _Name>

const PublishedData = Type.Object(
  {
    /** The same image on this host, `name:version`. */
    name: ImageName,
    references: Type.Array(
      // The digest: what the registry must answer.
      Type.Object({ ...PublishedName, digest: Type.Optional(Digest) }, strict),
      { maxItems: 32 },
    ),
  },
  strict,
)

const FoundReference = Type.Object(
  {
    reference: Type.String(),
    state: Type.Union([Type.Literal('present'), Type.Literal('missing'), Type.Literal('unknown')]),
    digest: Type.Optional(Type.String()),
    /** The content that it says it was made from. */
    tree: Type.Optional(Type.String()),
    /** Compressed, as it is fetched. */
    bytes: Type.Optional(Type.Integer()),
    /** Why it is not known. */
    problem: Type.Optional(Type.String()),
  },
  strict,
)
export type FoundReference = Static<typeof FoundReference>

const PublishedResult = Type.Object(
  {
    /** What the name means on this host. */
    local: Type.Union([
      Type.Object({ imageId: Type.String(), app: Type.Union([Type.String(), Type.Null()]) }, strict),
      Type.Null(),
    ]),
    references: Type.Array(FoundReference),
    /** Of the first that tells. */
    bytes: Type.Union([Type.Integer(), Type.Null()]),
  },
  strict,
)
export type PublishedResult = Static<typeof PublishedResult>

export const imagePublished = defineCommand({
  name: 'image.published',
  summary:
    'Asks each registry what it has under the names of a version, and fails where it must have something else.',
  role: 'worker',
  looksOnly: true,
  data: PublishedData,
  result: PublishedResult,
  deadlineMs: 60_000,
  async run(hands, data) {
    const [local, references] = await Promise.all([
      hands.perform(inspectImage(hands.host.dockerSocket, data.name)),
      Promise.all(data.references.map(each => look(hands, each))),
    ])
    for (const [index, { digest: wanted }] of data.references.entries()) {
      const found = references[index]
      if (wanted !== undefined && found && found.digest !== wanted) {
        throw PUSH_NOT_CONFIRMED(
          found.reference,
          wanted,
          found.digest ?? found.problem ?? 'it does not have it',
        )
      }
    }
    return {
      local: local ? { imageId: local.id, app: local.labels[LABEL.app] ?? null } : null,
      references,
      bytes: references.find(each => each.bytes !== undefined)?.bytes ?? null,
    }
  },
})

async function look(hands: Hands, name: PublishedName): Promise<FoundReference> {
  const { reference } = name
  try {
    const answer = await askPublished(hands, name)
    switch (answer.kind) {
      case 'present': {
        const { digest, tree, bytes } = answer
        const said = { ...(tree === undefined ? {} : { tree }), ...(bytes === undefined ? {} : { bytes }) }
        return { reference, state: 'present', digest, ...said }
      }
      case 'missing':
        return { reference, state: 'missing' }
      case 'challenge':
        return { reference, state: 'unknown', problem: 'it does not let us read' }
      default:
        return { reference, state: 'unknown', problem: `it answers ${answer.status}` }
    }
  } catch (error) {
    hands.signal.throwIfAborted()
    return { reference, state: 'unknown', problem: asFairleadError(error).message }
  }
}

/** The answer of the registry for a name. */
export async function askPublished(
  hands: Hands,
  { reference, registry, isUnvouched }: PublishedName,
): Promise<ManifestContent> {
  const { repository = '', tag = 'latest' } = parseReference(reference) ?? {}
  return await askContent(hands, {
    registry,
    repository,
    reference: tag,
    // The owner of the host vouches for those in its policy.
    isUnvouched: isUnvouched && !hands.host.policy.registries.includes(registry.address),
  })
}
