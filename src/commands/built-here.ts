import { join } from 'node:path'
import { isFromAllowedRegistry } from '#policy/container.ts'
import type { ImageFacts } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { fileCall } from './file-call.ts'

/**
 * Which images this worker itself has built, by id: the id says the content, and labels say whatever who made the image
 * wrote into it. Kept as one empty file for each, also when the image is gone: it may come back from a registry.
 */
export async function noteBuilt({ perform, host }: Hands, imageId: string): Promise<void> {
  await perform(fileCall({ operation: 'make-folder', path: folderIn(host.workspace) }))
  await perform(fileCall({ operation: 'write', path: fileOf(host.workspace, imageId), content: '' }))
}

/** Whether the owner of the host lets it run: from an allowed registry, or built here. */
export async function isAllowedHere(
  { perform, host: { policy, workspace } }: Hands,
  reference: string,
  { id }: Pick<ImageFacts, 'id'>,
): Promise<boolean> {
  return (
    isFromAllowedRegistry(policy, reference) ||
    !(await perform(fileCall({ operation: 'stat', path: fileOf(workspace, id) }))).missing
  )
}

function folderIn(workspace: string): string {
  return join(workspace, 'built')
}

function fileOf(workspace: string, imageId: string): string {
  return join(folderIn(workspace), imageId.replace(/^sha256:/, ''))
}
