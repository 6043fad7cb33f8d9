import { Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { listEveryContainer } from '#programs/container-list.ts'
import { listImages } from '#programs/docker-images.ts'
import { listServices } from '#programs/docker-swarm.ts'
import { defineCommand, type Hands } from './command.ts'
import { onEveryEngine } from './host-engines.ts'

const strict = { additionalProperties: false } as const

export const imageUsed = defineCommand({
  name: 'image.used',
  summary:
    'Tells which images of registries containers and services of all engines of this host were made from, whoever made them.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({}, strict),
  result: Type.Object(
    {
      names: Type.Array(Type.String()),
      engines: Type.Array(
        Type.Object(
          {
            name: Type.String(),
            /** Why nobody knows what is used there; null: all of it is among the names. */
            problem: Type.Union([Type.String(), Type.Null()]),
          },
          strict,
        ),
      ),
    },
    strict,
  ),
  deadlineMs: 120_000,
  lock: () => 'image.used',
  async run(hands) {
    const looks = await onEveryEngine(hands, usedOn)
    const names = looks.flatMap(each => each.done ?? []).filter(name => parseReference(name)?.host)
    return {
      names: [...new Set(names)],
      engines: looks.map(({ engine, problem }) => ({ name: engine.name, problem: problem?.message ?? null })),
    }
  },
})

/** Tasks of a service may be on nodes that no worker is on: what it names counts. */
async function usedOn({ host, perform }: Hands): Promise<readonly string[]> {
  const [containers, images, services] = await Promise.all([
    perform(listEveryContainer(host.dockerSocket)),
    perform(listImages(host.dockerSocket, [])),
    perform(listServices(host.dockerSocket)),
  ])
  const used = new Set(containers.map(({ imageId }) => imageId))
  return [
    ...images.filter(({ id }) => used.has(id)).flatMap(({ tags, digests }) => [...tags, ...digests]),
    ...services.map(({ image }) => image),
  ]
}
