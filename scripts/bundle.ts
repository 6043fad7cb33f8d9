import http from 'node:http'
import { join } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'
import { buildIntoCache } from './build-cache.ts'

/**
 * Makes plain JavaScript of each part, which starts faster and takes less memory than a thousand files of TypeScript
 * (docs/decisions/0007-bundled-parts.md).
 * They go into a new folder of .cache/parts, written down in current.json when it is whole.
 */
const ROOT = join(import.meta.dirname, '..')
const PARTS = ['manager', 'worker', 'guardian', 'cli'] as const
/** Programs that a part starts. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  worker: { preview: 'src/previews/main.ts' },
}
/** They stay in node_modules: looked for only when they are there, or with files of their own, or never used. */
const EXTERNAL = [
  'bufferutil',
  'utf-8-validate',
  'pg-native',
  'pg-cloudflare',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
]
/** What else decides how a bundle looks. */
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/bundle.ts']

/**
 * An import of node:http reads everything that it offers, also the classes of WebSocket, for which Node loads the whole
 * client behind fetch: 7 MiB in each part that never uses it.
 */
const HTTP = '\0http-alone'
const httpAlone: Plugin = {
  name: 'http-alone',
  resolveId: {
    filter: { id: /^(?:node:)?http$/ },
    handler: (_, __, { kind }) => (kind === 'import-statement' ? HTTP : null),
  },
  load: {
    filter: { id: new RegExp(HTTP) },
    handler() {
      const names = Object.entries(Object.getOwnPropertyDescriptors(http))
        .filter(([, { get }]) => get === undefined)
        .map(([name]) => name)
      return `const http = process.getBuiltinModule('node:http')\nexport default http\nexport const { ${names.join(', ')} } = http\n`
    },
  },
}

await buildIntoCache('parts', async folder => [
  ...(await bundle(folder)),
  ...SETTINGS.map(file => join(ROOT, file)),
])

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
    plugins: [httpAlone],
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
