import { join } from 'node:path'
import type { Hands } from './command.ts'
import { COMPOSE_ORIGINAL_GONE } from './compose-errors.ts'
import { mountedFiles, originalFiles } from './compose-folders.ts'
import type { OwnPart, Render } from './compose-model.ts'
import { fileCall } from './file-call.ts'
import { checkoutFolder } from './repository-folders.ts'

/** What a render that is being made mounts is not known yet, so young files stay. */
const YOUNG_MS = 3_600_000

/** Copies what services mount out of the checkout, unless the same content is there already. */
export async function copyMounts(hands: Hands, project: string, own: OwnPart): Promise<void> {
  if (!own.source) {
    return
  }
  const { workspace } = hands.host
  const checkout = checkoutFolder(workspace, own.source.repository, own.source.commit)
  for (const [path, id] of Object.entries(own.mounts)) {
    for (const folder of [originalFiles(workspace, project), mountedFiles(workspace, project)]) {
      const to = join(folder, id)
      const present = await hands.perform(fileCall({ operation: 'stat', path: to }))
      if (present.missing) {
        await hands.perform(fileCall({ operation: 'copy', path: join(checkout, path), to }))
      }
    }
  }
}

/**
 * Gives files that were edited on the host their content back. Containers see it once they are made anew. One that the
 * render does not mount may be beyond mending, as on a host that lost its workspace.
 */
export async function mendMounts(
  hands: Hands,
  project: string,
  { names, render }: { readonly names: readonly string[]; readonly render: Render },
): Promise<void> {
  const { workspace } = hands.host
  for (const name of names) {
    const from = join(originalFiles(workspace, project), name)
    const to = join(mountedFiles(workspace, project), name)
    const { missing } = await hands.perform(fileCall({ operation: 'stat', path: from }))
    if (missing && JSON.stringify(render).includes(name)) {
      throw COMPOSE_ORIGINAL_GONE(project, name)
    }
    if (missing) {
      continue
    }
    // Out of the way, not away: a container that still serves may read it until it is replaced.
    await hands.perform(fileCall({ operation: 'remove', path: `${to}.edited` }))
    await hands.perform(fileCall({ operation: 'rename', path: to, to: `${to}.edited` }))
    await hands.perform(fileCall({ operation: 'copy', path: from, to }))
    hands.say(
      `a mounted file that was edited on the host has its content back (${name.slice(0, 12)})`,
      'info',
    )
  }
}

/** Removes what none of these renders mounts. */
export async function pruneMounts(hands: Hands, project: string, renders: readonly Render[]): Promise<void> {
  const texts = renders.map(render => JSON.stringify(render))
  for (const place of [mountedFiles, originalFiles]) {
    const folder = place(hands.host.workspace, project)
    const { names = [] } = await hands.perform(fileCall({ operation: 'list', path: folder }))
    for (const name of names.filter(each => !texts.some(text => text.includes(each)))) {
      const path = join(folder, name)
      const { modifiedMs = 0 } = await hands.perform(fileCall({ operation: 'stat', path }))
      if (hands.clock.now() - modifiedMs > YOUNG_MS) {
        await hands.perform(fileCall({ operation: 'remove', path }))
      }
    }
  }
}
