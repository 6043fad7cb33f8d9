import { AS_LONG_AS_COMMAND_MS, type PackedFile } from '#exec/call.ts'
import { readDuration } from '#lib/duration.ts'
import { asFairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { tagImage } from '#programs/docker-images.ts'
import { lastChange } from '#programs/git-files.ts'
import { renderEnvironment, renderProject } from '#recipes/render-recipe.ts'
import { noteBuilt } from './built-here.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { refuseByPolicy } from './image-policy.ts'
import { type NotebookContentData, type NotebookWish, OWN_DOCKERFILES } from './notebook-data.ts'
import { NOTEBOOK_BUILD_TOO_LONG } from './notebook-errors.ts'
import { explainBuild } from './notebook-explain.ts'
import { contentFiles, dependencyFiles, projectFolder } from './notebook-files.ts'
import { cachesOf, NOTEBOOK_LABEL } from './notebook-images.ts'
import type { Ready } from './notebook-look.ts'
import { foldersOf } from './repository-folders.ts'

/** What is executed before the project's files are there; or all of a Dockerfile of its own. */
export async function buildEnvironment(hands: Hands, data: NotebookWish, ready: Ready): Promise<void> {
  const { recipe, names } = ready
  const folder = await projectFolder(hands, data)
  const labels = {
    [NOTEBOOK_LABEL.environment]: names.environment.key,
    [NOTEBOOK_LABEL.pack]: recipe.pack,
  }
  const tag = names.environment.reference
  if (recipe.pack === 'docker') {
    const dockerfile = ownDockerfile(ready)
    const { texts } = ready.source
    refuseByPolicy(hands, {
      dockerfile,
      text: texts.text(inRepository(ready, dockerfile)) ?? '',
      args: {},
    })
    const files = contentFiles(ready, folder, '')
    await build(hands, data, ready, {
      files,
      dockerfile,
      tag,
      labels: { ...labels, ...contentLabels(ready) },
    })
    return
  }
  const files = [
    { path: 'Dockerfile', text: renderEnvironment(recipe, 'buildkit', cachesOf(data)) },
    ...dependencyFiles(ready, folder),
  ]
  await build(hands, data, ready, { files, dockerfile: 'Dockerfile', tag, labels })
}

/** The project's files on its environment, and what is executed when they are there. */
export async function buildContent(hands: Hands, data: NotebookContentData, ready: Ready): Promise<void> {
  const { recipe, names } = ready
  const { reference } = data.environment
  if (recipe.pack === 'docker') {
    await hands.perform(tagImage(hands.host.dockerSocket, reference, names.content.reference))
    return
  }
  const folder = await projectFolder(hands, data)
  const files = [
    {
      path: 'Dockerfile',
      text: `FROM ${reference} AS environment\n${renderProject(recipe, 'buildkit', cachesOf(data))}`,
    },
    ...dependencyFiles(ready, folder),
    ...contentFiles(ready, folder, 'src'),
  ]
  await build(hands, data, ready, {
    files,
    dockerfile: 'Dockerfile',
    tag: names.content.reference,
    labels: contentLabels(ready),
    modifiedMs: await modifiedMs(hands, data),
  })
}

export function contentLabels({ names, planned: { project } }: Ready): Record<string, string> {
  return { [LABEL.app]: project.slug, [LABEL.tree]: names.content.key }
}

/** Files in an image have one date, so that equal files make an equal layer. */
export async function modifiedMs(
  hands: Hands,
  { repository, commit, folder }: NotebookWish,
): Promise<number> {
  return hands.perform(lastChange(foldersOf(hands.host.workspace, repository).mirror, commit, folder))
}

function ownDockerfile({ recipe }: Ready): string {
  const paths = new Set(recipe.content.files.map(({ path }) => path))
  return OWN_DOCKERFILES.find(path => paths.has(path)) ?? 'Dockerfile'
}

function inRepository({ planned: { project } }: Ready, path: string): string {
  return project.folder === '' ? path : `${project.folder}/${path}`
}

interface Build {
  readonly files: readonly PackedFile[]
  readonly dockerfile: string
  readonly tag: string
  readonly labels: Readonly<Record<string, string>>
  readonly modifiedMs?: number
}

async function build(hands: Hands, data: NotebookWish, ready: Ready, wish: Build): Promise<void> {
  const known = [...(data.registry ? [data.registry] : []), ...(data.registries ?? [])]
  const { slug, settings } = ready.planned.project
  const most = settings.build?.timeout
  try {
    const imageId = await hands.perform({
      kind: 'image-build',
      socket: hands.host.dockerSocket,
      context: wish.files,
      ...(wish.modifiedMs === undefined ? {} : { modifiedMs: wish.modifiedMs }),
      dockerfile: wish.dockerfile,
      args: {},
      secrets: {},
      tags: [wish.tag],
      labels: wish.labels,
      registries: Object.fromEntries(
        known
          .filter(({ username }) => username !== '')
          .map(({ address, username, password }) => [address, { username, password: new Secret(password) }]),
      ),
      timeoutMs: readDuration(most ?? '') ?? AS_LONG_AS_COMMAND_MS,
      read: built => built.imageId,
    })
    await noteBuilt(hands, imageId)
  } catch (error) {
    const isLate = most !== undefined && asFairleadError(error).code === 'CALL_TIMED_OUT'
    throw isLate ? NOTEBOOK_BUILD_TOO_LONG(slug, most) : explainBuild(error, ready)
  }
}
