import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'
import { buildIntoCache } from './build-cache.ts'
import { webConfig } from './web-config.ts'

/** Builds the web interface (docs/decisions/0050-web-interface.md) into a new folder of .cache/web. */
const ROOT = join(import.meta.dirname, '..')
/** What else decides how it looks. */
const SETTINGS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'scripts/web.ts',
  'scripts/web-config.ts',
]
const COMPRESSED = /\.(?:js|css|html|svg|json)$/

process.env.NODE_ENV = 'production'
await buildIntoCache('web', buildWeb)

/** Gives the files that it was made of. */
async function buildWeb(folder: string): Promise<string[]> {
  await build(webConfig(folder))
  await Promise.all(
    filesIn(folder)
      .filter(file => COMPRESSED.test(file))
      .map(compress),
  )
  return [
    ...filesIn(join(ROOT, 'web')).filter(file => !/\.test\.ts$/.test(file)),
    ...SETTINGS.map(file => join(ROOT, file)),
  ]
}

/** Once at build time and as small as can be, instead of with each answer. */
async function compress(file: string): Promise<void> {
  const bytes = await readFile(file)
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  await Promise.all([
    promisify(brotliCompress)(bytes, { params }).then(small => writeFile(`${file}.br`, small)),
    promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }).then(small =>
      writeFile(`${file}.gz`, small),
    ),
  ])
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}
