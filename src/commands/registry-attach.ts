import { isDeepStrictEqual } from 'node:util'
import type { ManifestAnswer, ManifestWish } from '#programs/registry.ts'
import { endUpload, openUpload } from '#programs/registry-blobs.ts'
import {
  type Descriptor,
  describeManifest,
  descriptorOf,
  toChecked,
  writeManifest,
} from '#programs/registry-write.ts'
import type { Hands } from './command.ts'
import { ATTACH_FAILED } from './image-errors.ts'
import { type ManifestQuestion, withToken } from './image-manifest.ts'

/** A text that says something of an image, kept beside it in its registry. */
export interface Attached {
  readonly mediaType: string
  readonly text: string
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const NOTHING: Attached = { mediaType: 'application/vnd.oci.empty.v1+json', text: '{}' }

/**
 * Puts texts beside an image, as OCI 1.1 has it: manifests whose subject is the image, and for a registry that does not
 * list them itself an index under a tag made of the digest. What was said of it by the same media type before is replaced.
 * Gives the digests of the manifests.
 */
export async function attachTo(
  hands: Hands,
  question: ManifestQuestion,
  texts: readonly Attached[],
): Promise<readonly string[]> {
  const { address } = question.registry
  let made: readonly Descriptor[] = []
  const answer = await withToken(hands, question, async (wish): Promise<ManifestAnswer> => {
    const about = await hands.perform(describeManifest(wish))
    if (about.kind === 'present' && about.descriptor) {
      made = await attachAll(hands, { wish, subject: about.descriptor }, texts)
    }
    return about
  })
  if (answer.kind !== 'present') {
    throw ATTACH_FAILED(address, `it does not show the image (${answer.kind})`)
  }
  return made.map(({ digest }) => digest)
}

interface Place {
  readonly wish: ManifestWish
  readonly subject: Descriptor
}

async function attachAll(
  hands: Hands,
  { wish, subject }: Place,
  texts: readonly Attached[],
): Promise<readonly Descriptor[]> {
  await putBlob(hands, wish, NOTHING)
  const made: Descriptor[] = []
  let isListed = true
  for (const each of texts) {
    await putBlob(hands, wish, each)
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: each.mediaType,
      config: descriptorOf(NOTHING.mediaType, NOTHING.text),
      layers: [descriptorOf(each.mediaType, each.text)],
      subject,
    })
    const descriptor = { ...descriptorOf(MANIFEST, text), artifactType: each.mediaType }
    const answer = await put(hands, { ...wish, reference: descriptor.digest }, { mediaType: MANIFEST, text })
    isListed &&= answer.listsReferrers
    made.push(descriptor)
  }
  if (!isListed) {
    await listUnderTag(hands, { wish, subject }, made)
  }
  return made
}

/** The tag that stands for the list of what refers to an image. */
async function listUnderTag(
  hands: Hands,
  { wish, subject }: Place,
  made: readonly Descriptor[],
): Promise<void> {
  const tagged = { ...wish, reference: subject.digest.replace(':', '-') }
  const found = await hands.perform(describeManifest(tagged))
  const before = found.kind === 'present' ? manifestsOf(found.json) : []
  const others = before.filter(each => !made.some(({ artifactType }) => artifactType === each.artifactType))
  const manifests = [...others, ...made]
  if (isDeepStrictEqual(before, manifests)) {
    return
  }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })
  await put(hands, tagged, { mediaType: INDEX, text })
}

function manifestsOf(json: unknown): readonly Descriptor[] {
  const { manifests } = (json ?? {}) as { manifests?: readonly Descriptor[] }
  return Array.isArray(manifests) ? manifests : []
}

async function put(hands: Hands, wish: ManifestWish, manifest: Attached) {
  const answer = await hands.perform(writeManifest(wish, manifest))
  if (answer.status !== 201) {
    throw ATTACH_FAILED(wish.registry.address, `a manifest is answered with status ${answer.status}`)
  }
  return answer
}

async function putBlob(hands: Hands, wish: ManifestWish, { mediaType, text }: Attached): Promise<void> {
  const place = await hands.perform(toChecked(openUpload(wish), wish))
  const { digest } = descriptorOf(mediaType, text)
  const isThere =
    place !== undefined && (await hands.perform(toChecked(endUpload(wish, place, { digest, text }), wish)))
  if (!isThere) {
    throw ATTACH_FAILED(wish.registry.address, 'it takes no upload')
  }
}
