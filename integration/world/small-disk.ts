import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { command, mustRun } from './command.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface SmallDisk {
  readonly folder: string
  /** Takes all space but so many bytes. */
  fill(left?: number): Promise<void>
  /** Gives the space back. */
  free(): Promise<void>
  remount(how: 'ro' | 'rw'): Promise<void>
}

/** A file system of its own of so many MiB; undefined where none can be mounted. */
export async function mountSmallDisk(
  stack: AsyncDisposableStack,
  mebibytes: number,
): Promise<SmallDisk | undefined> {
  const folder = join(await temporaryFolder(stack), 'disk')
  await mkdir(folder)
  const options = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]
  if ((await command('mount', options, { folder: '/' })).code !== 0) {
    return undefined
  }
  stack.defer(() => mustRun('umount', [folder], { folder: '/' }).then(() => undefined))
  const ballast = join(folder, 'ballast')
  return {
    folder,
    async fill(left = 0) {
      const file = await open(ballast, 'a')
      try {
        for (;;) {
          const { bavail, bsize } = await statfs(folder)
          const bytes = Math.min(bavail * bsize - left, 1024 * 1024)
          if (bytes <= 0) {
            return
          }
          await file.write(Buffer.alloc(bytes))
        }
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast, { force: true }),
    async remount(how) {
      await mustRun('mount', ['-o', `remount,${how}`, folder], { folder: '/' })
    },
  }
}
