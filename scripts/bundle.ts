import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { rolldown } from 'rolldown'

/**
 * Makes plain JavaScript of each part, which starts faster and takes less memory than a thousand files of TypeScript
 * (docs/decisions/0007-bundled-parts.md).
 *
 *   node scripts/bundle.ts        into a new folder of .cache/parts, written down in current.json when it is whole
 *   node scripts/bundle.ts dist   into that folder: for a package without sources
 */
const ROOT = join(import.meta.dirname, '..')
const CACHE = join(ROOT, '.cache/parts')
const PARTS = ['manager', 'worker', 'cli'] as const
/** Programs that a part starts. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  worker: { preview: 'src/previews/main.ts' },
}
/** They stay in node_modules: looked for only when they are there, or with files of their own, or never used. */
const EXTERNAL = [
  'bufferutil',
  'utf-8-validate',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
]
/** What else decides how a bundle looks. */
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/bundle.ts']
/** A running part may still load the rest of an older bundle. */
const KEPT = 8
/** Clocks of file systems are coarse. */
const COARSE_MS = 50

const [wanted] = process.argv.slice(2)
await (wanted === undefined ? cache() : bundle(join(ROOT, wanted)))

async function cache(): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const name = `${Date.now()}-${process.pid}`
  const folder = join(CACHE, name)
  for (;;) {
    const startedAt = Date.now()
    const files = [...(await bundle(folder)), ...SETTINGS.map(file => join(ROOT, file))]
    const inputs = await Promise.all(files.map(inputOf))
    if (inputs.every(({ changedMs }) => changedMs < startedAt - COARSE_MS)) {
      await makeCurrent(name, inputs)
      break
    }
    // Somebody is just writing them: which text was read?
    await sleep(2 * COARSE_MS)
  }
  const old = (await readdir(CACHE)).filter(each => /^\d+-\d+$/.test(each)).sort()
  await Promise.all(old.slice(0, -KEPT).map(each => rm(join(CACHE, each), { recursive: true, force: true })))
}

/** Gives the files that the bundles were made of. */
async function bundle(folder: string): Promise<string[]> {
  const files = await Promise.all(PARTS.map(part => bundlePart(part, join(folder, part))))
  return [...new Set(files.flat())]
}

async function bundlePart(part: string, dir: string): Promise<string[]> {
  await using building = await rolldown({
    cwd: ROOT,
    input: { [part]: `src/${part}/main.ts`, ...BESIDE[part] },
    platform: 'node',
    // It has paths to types only; imports are those of package.json.
    tsconfig: false,
    external: EXTERNAL,
  })
  await building.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // Names are kept, so that a stack trace can be read. One byte per character is half the memory of two.
    minify: false,
    comments: false,
    charset: 'ascii',
    cleanDir: true,
  })
  // Not the modules of the chunks: one of which only a constant is taken is no longer among them.
  return await building.watchFiles
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

async function makeCurrent(folder: string, inputs: readonly Input[]): Promise<void> {
  const text = JSON.stringify({
    folder,
    inputs: Object.fromEntries(inputs.map(each => [each.path, each.stamp])),
  })
  const file = join(CACHE, folder, 'current.json')
  await writeFile(file, text)
  await rename(file, join(CACHE, 'current.json'))
}
