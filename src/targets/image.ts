import { imageContent, imageFind, imagePrune, imagePublished } from '#commands/image.ts'
import { buildWantsOf, dockerfileOf } from './build-settings.ts'
import { planImage } from './image-plan.ts'
import { artifactImages, artifactOf } from './image-release.ts'
import { ImageSettings } from './image-settings.ts'
import { serviceNameOf, versionPath, wantsTags } from './image-version.ts'
import { type ImageWants, imageWantsOf } from './image-wants.ts'
import { releasedArtifact } from './released-artifact.ts'
import { defineTarget, filesOf, type LookInput, type Target, type Tell, tell } from './target.ts'

export const image: Target = defineTarget({
  name: 'image',
  summary:
    'Builds a Dockerfile and pushes the image as name:version to one or several registries; nothing is run.',
  settings: ImageSettings,
  // A Dockerfile alone says that something is to run.
  detect: () => undefined,
  reads: settings => {
    const path = versionPath(settings)
    return [dockerfileOf(settings), ...(path === undefined ? [] : [path])]
  },
  domains: () => [],
  settle: settings => settings,
  images: artifactImages,
  artifact: artifactOf,
  usesTags: settings => wantsTags({ settings }),
  look,
  plan: planImage,
  // What is in registries stays there: others may rely on it.
  remove: ({ app }) => [tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0 })],
})

/** Everything at once: the image by its content, and what the registries have under its names; the tags before that. */
function look(input: LookInput<ImageSettings>): readonly Tell[] {
  const { goal, tags } = input
  if (!goal && wantsTags(input) && tags && !input.found.tags) {
    return [tags, contentTell(input)]
  }
  const wants = imageWantsOf(input)
  if (!wants) {
    return []
  }
  const { image, targets } = wants
  const content = goal
    ? tell('image', imageFind, { images: [releasedArtifact(wants, goal)] })
    : contentTell(input, wants)
  const references = targets.map(({ mayMove: _, ...each }) => each)
  return [content, tell('published', imagePublished, { name: image, references })]
}

/** By the content of the source. Its name takes no part in that. */
function contentTell(input: LookInput<ImageSettings>, wants?: ImageWants): Tell {
  const { source, app } = input
  const { secretNames, ...build } = wants?.build ?? buildWantsOf(input.settings)
  const repositoryName = wants?.serviceName ?? serviceNameOf(input)
  return tell('content', imageContent, {
    ...filesOf(source),
    images: [{ key: app.name, ...build, secretNames: [...secretNames], repositoryName }],
  })
}
