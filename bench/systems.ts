import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '#lib/clock.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { type Desk, deskOf } from '../integration/world/desk.ts'
import { IMAGE, type IncusHost, startIncus, whyNoIncus } from '../integration/world/incus.ts'
import { logIn, newKey } from '../integration/world/log-in.ts'
import { startSystem } from '../integration/world/system.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'

/** Each costs seconds. */
const FEW = 3
const DEBIAN = 'debian12'
const DEBOOTSTRAP = '/usr/sbin/debootstrap'
const POOL_SIZE = '6GiB'
const IMAGE_WITHIN_MS = 900_000
const NAME = 'bench-system'
const AGAIN_MS = 2_000
const LIMITS = { memory_bytes: 512 * 2 ** 20, cpus: 2, processes: 500 }
/** Beside what the image has. */
const WRITTEN_MB = 100

/** From the wish for a machine until its owner has logged in, and what it takes to keep it as it is and to bring it back. */
export async function measureSystems(
  stack: AsyncDisposableStack,
  say: (text: string) => void,
): Promise<Figure[]> {
  const why = await whyNoIncus()
  if (why !== undefined) {
    say(`systems: nothing is measured, ${why}`)
    return []
  }
  const incus = await startIncus(stack, POOL_SIZE)
  const images = await imagesOf(incus, say)
  const plain = `${incus.pool}d`
  await incus.ask('POST', '/1.0/storage-pools', { name: plain, driver: 'dir' })
  const settings = (pool: string) => ({
    ...{ FAIRLEAD_INCUS_SOCKET: incus.socket, FAIRLEAD_INCUS_POOL: pool },
    ...{ FAIRLEAD_INCUS_NETWORK: incus.network, FAIRLEAD_SYSTEM_ADDRESS: incus.ip },
    FAIRLEAD_MOST_UNATTENDED: '0',
  })
  const system = await startSystem(stack, { environment: settings(incus.pool) })
  const key = await newKey(system.folder, 'ada')
  const desk = deskOf({ name: NAME, system: () => system, key: () => key.file })
  await desk.send('POST', '/ssh-keys', { key: key.line })
  const figures: Figure[] = []
  for (const [driver, pool] of [
    ['btrfs', incus.pool],
    ['dir', plain],
  ] as const) {
    await system.restart({ environment: settings(pool) })
    for (const image of images) {
      say(`systems: ${FEW} of ${image} in a pool of ${driver}`)
      figures.push(...(await measureImage(desk, { driver, image, key: key.file })))
    }
  }
  return figures
}

/** The one for tests, and Debian where it can be made. */
async function imagesOf(incus: IncusHost, say: (text: string) => void): Promise<readonly string[]> {
  if (
    !(await access(DEBOOTSTRAP).then(
      () => true,
      () => false,
    ))
  ) {
    say(`systems: without ${DEBIAN}, there is no ${DEBOOTSTRAP}`)
    return [IMAGE]
  }
  say(`systems: making the image ${DEBIAN}`)
  const file = join(incus.folder, `${DEBIAN}.tar.gz`)
  const program = join(PACKAGE_ROOT, 'scripts/system-image')
  await promisify(execFile)(program, [DEBIAN, file], { timeout: IMAGE_WITHIN_MS })
  await incus.addImage(file, DEBIAN)
  return [IMAGE, DEBIAN]
}

interface Measured {
  readonly driver: 'btrfs' | 'dir'
  readonly image: string
  /** File of the key that opens it. */
  readonly key: string
}

async function measureImage(desk: Desk, { driver, image, key }: Measured): Promise<Figure[]> {
  const [creates, snapshots, restores]: [number[], number[], number[]] = [[], [], []]
  const path = `/systems/${NAME}`
  // A folder keeps nobody to a limit.
  const disk_bytes = driver === 'dir' ? null : 2 * 2 ** 30
  // The first one of an image unpacks it into the pool.
  for (let run = 0; run <= FEW; run++) {
    const wanted = { name: NAME, image, disk_bytes, ...LIMITS }
    creates.push(
      await taken(async () => {
        await desk.must(desk.send('POST', '/systems', wanted))
        const { code, stderr } = await logIn(await desk.place(), key, 'true')
        if (code !== 0) {
          throw new Error(`nobody could log in to it: ${stderr}`)
        }
      }),
    )
    if (run > 0) {
      await desk.inside(`dd if=/dev/urandom of=/root/data bs=1M count=${WRITTEN_MB} 2>/dev/null; sync`)
      snapshots.push(
        await taken(
          async () => void (await desk.must(desk.send('POST', `${path}/snapshots`, { name: 'one' }))),
        ),
      )
      restores.push(
        await taken(async () => {
          await desk.must(desk.send('POST', `${path}/restore`, { snapshot: 'one' }))
          await desk.inside('true')
        }),
      )
    }
    await removeSystem(desk)
  }
  const [first = 0, ...later] = creates
  const where = `${image} in a pool of ${driver}`
  return [
    ms(`create to SSH: ${where}`, later, `the first one of the image: ${Math.round(first)} ms`),
    ms(`snapshot: ${where}`, snapshots, `with ${WRITTEN_MB} MB written; it goes on running`),
    ms(`restore to SSH: ${where}`, restores, `with ${WRITTEN_MB} MB written; stopped and started for it`),
  ]
}

/** It is nothing that is measured: what a busy machine did not manage in time is asked for again. */
async function removeSystem(desk: Desk): Promise<void> {
  for (let left = FEW; ; left--) {
    const { error } = await desk.end(desk.send('DELETE', `/systems/${NAME}?confirm=${NAME}`))
    if (!error) {
      return
    }
    if (left === 0) {
      throw new Error(error.message)
    }
    await systemClock.sleep(AGAIN_MS)
  }
}

async function taken(work: () => Promise<void>): Promise<number> {
  const began = systemClock.monotonic()
  await work()
  return systemClock.monotonic() - began
}

function ms(what: string, samples: readonly number[], note: string): Figure {
  return {
    ...{ id: '', what: `system: ${what}`, value: median(samples), unit: 'ms' },
    ...{ target: 'shown', samples, note: `${samples.length} ×; ${note}` },
  }
}
