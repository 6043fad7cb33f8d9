import { arch } from 'node:os'
import type { SentLayer } from '#exec/call.ts'
import { parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { askToken, headManifest } from '#programs/registry.ts'
import {
  type Descriptor,
  digestOf,
  endUpload,
  getBlob,
  getElsewhere,
  getWholeManifest,
  type Manifest,
  mountBlob,
  openUpload,
  putManifest,
  type RegistryRepository,
  sendLayer,
} from '#programs/registry-blobs.ts'
import { appendedConfig } from '#recipes/append-config.ts'
import { noteBuilt } from './built-here.ts'
import type { Hands } from './command.ts'
import { registryAccess } from './image-data.ts'
import { contentLabels, modifiedMs } from './notebook-build.ts'
import type { NotebookContentData } from './notebook-data.ts'
import { contentFiles, projectFolder } from './notebook-files.ts'
import type { Ready } from './notebook-look.ts'

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
const NB_USER = 1000

/** The registry did not do what appending needs: then the image is built and sent, which needs less of it. */
class NotHere extends Error {}

/**
 * Adds a project's files to its environment inside the registry: a manifest of the environment's layers and one more.
 * Nothing is built and no engine takes part. The digest, or undefined where it has to be built.
 */
export async function appendContent(
  hands: Hands,
  data: NotebookContentData,
  ready: Ready,
): Promise<string | undefined> {
  const { environment } = data
  if (!ready.keys.isAppendable || environment.digest === undefined) {
    return undefined
  }
  try {
    return await append(hands, data, ready, environment.digest)
  } catch (error) {
    hands.signal.throwIfAborted()
    const why = error instanceof NotHere ? error.message : asFairleadError(error).message
    hands.say(`building instead of appending in the registry: ${why}`, 'info')
    return undefined
  }
}

async function append(
  hands: Hands,
  data: NotebookContentData,
  ready: Ready,
  digest: string,
): Promise<string> {
  const { from, to, tag } = await placesOf(hands, data, ready)
  const [manifest, folder, createdMs] = await Promise.all([
    imageManifest(hands, from, digest),
    projectFolder(hands, data),
    modifiedMs(hands, data),
  ])
  const { destination } = ready.recipe.content
  const layer = {
    files: contentFiles(ready, folder, ''),
    destination,
    owner: NB_USER,
    modifiedMs: createdMs,
  }
  const [config, sent] = await Promise.all([
    configOf(hands, from, manifest.config),
    send(hands, to, layer),
    ...manifest.layers.map(each => mount(hands, to, each.digest, from.repository)),
  ])
  const text = appendedConfig(config, {
    diffId: sent.diffId,
    folder: destination,
    labels: contentLabels(ready),
    stage: ready.recipe.project,
    createdMs,
  })
  if (text === undefined) {
    throw new NotHere('the environment has a configuration of an unknown kind')
  }
  await putBlob(hands, to, text)
  const found = await hands.perform(
    putManifest(to, tag, manifestWith(manifest, { config: text, layer: sent })),
  )
  if (found === undefined) {
    throw new NotHere('the registry does not take the manifest')
  }
  // An engine knows an image by one or the other.
  await Promise.all([digestOf(text), found].map(id => noteBuilt(hands, id)))
  hands.say(`appended ${layer.files.length} files (${sent.bytes} bytes) as ${data.key}`, 'info')
  return found
}

interface Places {
  readonly from: RegistryRepository
  readonly to: RegistryRepository
  readonly tag: string
}

/** Where the environment and the content are, with one token for both where the registry wants one. */
async function placesOf(hands: Hands, data: NotebookContentData, { names }: Ready): Promise<Places> {
  const environment = parseReference(data.environment.reference)
  const content = parseReference(names.content.reference)
  if (!data.registry || !environment || !content?.tag || environment.host !== content.host) {
    throw new NotHere('the environment is in another registry')
  }
  const registry = registryAccess(data.registry)
  const answer = await hands.perform(
    headManifest({ registry, repository: content.repository, reference: content.tag }),
  )
  const token =
    answer.kind === 'challenge'
      ? await hands.perform(askToken(answer.challenge, registry, content.repository, environment.repository))
      : undefined
  const both = { registry, token }
  return {
    from: { ...both, repository: environment.repository },
    to: { ...both, repository: content.repository },
    tag: content.tag,
  }
}

type ImageManifest = Manifest & { readonly config: Descriptor; readonly layers: readonly Descriptor[] }

/** Of this machine's architecture, where there is one for each. */
async function imageManifest(hands: Hands, from: RegistryRepository, digest: string): Promise<ImageManifest> {
  const found = await hands.perform(getWholeManifest(from, digest))
  const architecture = arch() === 'x64' ? 'amd64' : arch()
  const own = found?.manifests?.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  )
  const manifest = own ? await hands.perform(getWholeManifest(from, own.digest)) : found
  if (!manifest?.config || !manifest.layers) {
    throw new NotHere('the registry does not give the manifest of the environment')
  }
  return { ...manifest, config: manifest.config, layers: manifest.layers }
}

async function configOf(hands: Hands, from: RegistryRepository, { digest }: Descriptor): Promise<unknown> {
  const blob = await hands.perform(getBlob(from, digest))
  const json = blob?.elsewhere === undefined ? blob?.json : await hands.perform(getElsewhere(blob.elsewhere))
  if (json === undefined) {
    throw new NotHere('the registry does not give the configuration of the environment')
  }
  return json
}

async function mount(hands: Hands, to: RegistryRepository, digest: string, from: string): Promise<void> {
  if (!(await hands.perform(mountBlob(to, { digest, from })))) {
    throw new NotHere('the registry shares no layers between repositories')
  }
}

async function send(
  hands: Hands,
  to: RegistryRepository,
  layer: Parameters<typeof sendLayer>[2],
): Promise<SentLayer> {
  const location = await hands.perform(openUpload(to))
  const sent = location === undefined ? undefined : await hands.perform(sendLayer(to, location, layer))
  if (!sent || !(await hands.perform(endUpload(to, sent.location, { digest: sent.sent.digest })))) {
    throw new NotHere('the registry does not take the layer')
  }
  return sent.sent
}

async function putBlob(hands: Hands, to: RegistryRepository, text: string): Promise<void> {
  const location = await hands.perform(openUpload(to))
  const end = location === undefined ? undefined : endUpload(to, location, { digest: digestOf(text), text })
  if (!end || !(await hands.perform(end))) {
    throw new NotHere('the registry does not take the configuration')
  }
}

function manifestWith(
  { mediaType = DOCKER_MANIFEST, config, layers }: ImageManifest,
  added: { readonly config: string; readonly layer: SentLayer },
): { readonly mediaType: string; readonly text: string } {
  const { digest, bytes } = added.layer
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: config.mediaType,
      size: Buffer.byteLength(added.config),
      digest: digestOf(added.config),
    },
    layers: [
      ...layers,
      { mediaType: mediaType === DOCKER_MANIFEST ? DOCKER_LAYER : OCI_LAYER, size: bytes, digest },
    ],
  })
  return { mediaType, text }
}
