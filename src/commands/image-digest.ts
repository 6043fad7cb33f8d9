import { Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { defineCommand, type Hands } from './command.ts'
import { ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'
import { askManifest } from './image-manifest.ts'

const strict = { additionalProperties: false } as const

export const imageDigest = defineCommand({
  name: 'image.digest',
  summary: 'Asks a registry which image a tag means now.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      /** With a tag; without one it is `latest`. */
      reference: ImageName,
      registries: Type.Array(RegistryData, { maxItems: 16 }),
    },
    strict,
  ),
  result: Type.Object(
    {
      /** Absent: the registry did not say. */
      digest: Type.Optional(Type.String()),
      /** Why it did not. */
      problem: Type.Optional(Type.String()),
      /** How long it wants to be left alone. */
      retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
    },
    strict,
  ),
  deadlineMs: 60_000,
  async run(hands, { reference, registries }) {
    const parsed = parseReference(reference)
    if (!parsed || parsed.digest) {
      return { problem: 'it has no tag that could move' }
    }
    const address = parsed.host ?? 'docker.io'
    const known = registries.find(each => each.address === address)
    return await ask(hands, {
      registry: known ?? { address, username: '', password: '' },
      // The manager vouches for those it gives, the owner of the host for those in the policy.
      isUnvouched: known === undefined && !hands.host.policy.registries.includes(address),
      repository: parsed.repository,
      reference: parsed.tag ?? 'latest',
    })
  },
})

async function ask(hands: Hands, question: Parameters<typeof askManifest>[1]) {
  try {
    const answer = await askManifest(hands, question)
    switch (answer.kind) {
      case 'present':
        return { digest: answer.digest }
      case 'missing':
        return { problem: 'the registry does not have it' }
      case 'challenge':
        return { problem: 'the registry does not let us read it' }
      default:
        return {
          problem: `the registry answers ${answer.status}`,
          ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
        }
    }
  } catch (error) {
    hands.signal.throwIfAborted()
    return { problem: asFairleadError(error).message }
  }
}
