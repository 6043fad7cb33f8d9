import { Type } from 'typebox'
import { REGISTRY_ADDRESS_PATTERN } from '#formats/image-reference.ts'
import { listEveryContainer } from '#programs/container-list.ts'
import { listImages } from '#programs/docker-images.ts'
import { defineCommand } from './command.ts'

const strict = { additionalProperties: false } as const

export const imageUsed = defineCommand({
  name: 'image.used',
  summary: 'Tells which images of a registry containers of this host were made from, whoever made them.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ address: Type.String({ pattern: REGISTRY_ADDRESS_PATTERN, maxLength: 255 }) }, strict),
  result: Type.Object({ names: Type.Array(Type.String()) }, strict),
  deadlineMs: 120_000,
  lock: () => 'image.used',
  async run({ host, perform }, { address }) {
    const [containers, images] = await Promise.all([
      perform(listEveryContainer(host.dockerSocket)),
      perform(listImages(host.dockerSocket, [])),
    ])
    const used = new Set(containers.map(({ imageId }) => imageId))
    const names = images
      .filter(({ id }) => used.has(id))
      .flatMap(({ tags, digests }) => [...tags, ...digests])
      .filter(name => name.startsWith(`${address}/`))
    return { names: [...new Set(names)] }
  },
})
