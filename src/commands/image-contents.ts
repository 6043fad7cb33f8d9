import { baseImages } from '#formats/dockerfile-images.ts'
import { isPackageList, readPackageLists } from '#formats/package-lists.ts'
import { createContainer, removeContainer } from '#programs/docker-containers.ts'
import { readContainerFiles, unstartedSpec } from '#programs/docker-contents.ts'
import { inspectImage } from '#programs/docker-images.ts'
import { handsForCleanUp } from './clean-up.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { readSource } from './image-build.ts'
import { CONTENTS_UNREADABLE } from './image-errors.ts'

const CLEAN_UP_MS = 30_000

/** A container that is never started has the file system of the image. */
export async function contentsOf(hands: Hands, app: string, imageId: string) {
  const { dockerSocket } = hands.host
  const name = `${app}-contents-${imageId.replace(/^sha256:/, '').slice(0, 12)}`
  const files: { path: string; text: string }[] = []
  // An earlier attempt may have been killed.
  await hands.perform(removeContainer(dockerSocket, name))
  try {
    const spec = unstartedSpec(imageId, { [LABEL.app]: app })
    const made = await hands.perform(createContainer(dockerSocket, name, spec))
    if ('refused' in made) {
      throw CONTENTS_UNREADABLE(made.refused)
    }
    await hands.perform(
      readContainerFiles(dockerSocket, made.id, {
        isWanted: isPackageList,
        onFile: (path, text) => void files.push({ path, text }),
      }),
    )
  } finally {
    await handsForCleanUp(hands, CLEAN_UP_MS).perform(removeContainer(dockerSocket, name))
  }
  return readPackageLists(files)
}

/** The images that its Dockerfile begins with; with a digest where the engine has them from a registry. */
export async function basesOf(
  hands: Hands,
  source: Parameters<typeof readSource>[1] & { readonly args: Readonly<Record<string, string>> },
) {
  const { text } = await readSource(hands, source)
  const references = [...new Set(baseImages(text, source.args))]
  return await Promise.all(
    references.map(async reference => {
      const [, given] = reference.split('@')
      const found =
        given === undefined && (await hands.perform(inspectImage(hands.host.dockerSocket, reference)))
      const digest = given ?? (found ? found.digests[0]?.split('@')[1] : undefined)
      return { reference, digest }
    }),
  )
}
