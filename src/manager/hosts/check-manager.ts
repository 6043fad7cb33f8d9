import { statfs } from 'node:fs/promises'
import { diskFinding } from '#commands/disk-finding.ts'
import type { HostChecked } from '#commands/host-check.ts'
import { diskSpace } from '#lib/disk-space.ts'

/** What is wrong with the machine of this manager, as far as it can see that without a right to anything but its folder. */
export async function checkManager({ data }: { readonly data: string }): Promise<HostChecked['checks']> {
  const { detail, mend } = diskFinding(diskSpace(await statfs(data)), {
    where: 'the manager keeps its files',
    mend: `Free some space: "df -h ${data}" on the machine of the manager shows on which file system.`,
  })
  return [{ name: 'disk', detail, mend: mend ?? null }]
}
