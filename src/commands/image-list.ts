import { Type } from 'typebox'
import { type ImageEntry, listImages } from '#programs/docker-images.ts'
import { defineCommand } from './command.ts'

const strict = { additionalProperties: false } as const
/** A result must fit one frame. */
const MOST = 1000

export const ListedImage = Type.Object(
  {
    id: Type.String(),
    tags: Type.Array(Type.String()),
    digests: Type.Array(Type.String()),
    /** Seconds since 1970. */
    created: Type.Integer(),
  },
  strict,
)

export const imageList = defineCommand({
  name: 'image.list',
  summary: 'Tells which images the engine of this host has, the newest first.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({}, strict),
  result: Type.Object({ images: Type.Array(ListedImage), truncated: Type.Boolean() }, strict),
  deadlineMs: 30_000,
  async run(hands) {
    const all = await hands.perform(listImages(hands.host.dockerSocket, []))
    const newest = [...all].sort((a, b) => b.createdAt - a.createdAt)
    return { images: newest.slice(0, MOST).map(listed), truncated: newest.length > MOST }
  },
})

function listed({ id, tags, digests, createdAt }: ImageEntry) {
  return { id, tags: [...tags], digests: [...digests], created: createdAt }
}
