import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = join(import.meta.dirname, '..')
/** A running part may still load the rest of an older build. */
const KEPT = 8
/** Clocks of file systems are coarse. */
const COARSE_MS = 50

/**
 * Builds into a new folder of .cache/<name>, written down in current.json when it is whole, with everything that it was
 * made of. `build` gives the files that it read.
 */
export async function buildIntoCache(
  name: string,
  build: (folder: string) => Promise<readonly string[]>,
): Promise<void> {
  const cache = join(ROOT, '.cache', name)
  await mkdir(cache, { recursive: true })
  const folder = `${Date.now()}-${process.pid}`
  for (;;) {
    const startedAt = Date.now()
    const inputs = await Promise.all((await build(join(cache, folder))).map(inputOf))
    if (inputs.every(({ changedMs }) => changedMs < startedAt - COARSE_MS)) {
      await makeCurrent(cache, folder, inputs)
      break
    }
    // Somebody is just writing them: which text was read?
    await sleep(2 * COARSE_MS)
  }
  const old = (await readdir(cache)).filter(each => /^\d+-\d+$/.test(each)).sort()
  await Promise.all(old.slice(0, -KEPT).map(each => rm(join(cache, each), { recursive: true, force: true })))
}

interface Input {
  readonly path: string
  readonly stamp: string
  readonly changedMs: number
}

/** The stamp is what src/cli/part-program.ts compares: the change time cannot be set by anybody. */
async function inputOf(file: string): Promise<Input> {
  const { size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
  return {
    path: relative(ROOT, file),
    stamp: `${size} ${mtimeNs} ${ctimeNs}`,
    changedMs: Number(ctimeNs / 1_000_000n),
  }
}

async function makeCurrent(cache: string, folder: string, inputs: readonly Input[]): Promise<void> {
  const text = JSON.stringify({
    folder,
    inputs: Object.fromEntries(inputs.map(each => [each.path, each.stamp])),
  })
  const file = join(cache, folder, 'current.json')
  await writeFile(file, text)
  await rename(file, join(cache, 'current.json'))
}
