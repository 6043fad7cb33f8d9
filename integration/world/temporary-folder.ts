import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An empty folder that is removed when the world ends, after everything that was started later. */
export async function temporaryFolder(world: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-world-'))
  world.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}
