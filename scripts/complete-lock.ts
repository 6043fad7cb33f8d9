import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Adds to package-lock.json the optional packages for other platforms that a registry mirror does not carry.
 * npm leaves them out of the lock file then, and `npm ci` refuses such a file everywhere. Run after `npm install`.
 */
interface Entry {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const FILE = 'package-lock.json'
const SYSTEMS = [
  'android',
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'openharmony',
  'aix',
  'sunos',
  'netbsd',
  'openbsd',
]
const PROCESSORS = [
  'arm64',
  'x64',
  'ia32',
  'arm',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
  'wasm32',
]

const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, Entry> }
const packages = lock.packages
let added = 0

for (const [owner, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!isPresent(owner, name)) {
      packages[`node_modules/${name}`] = platformEntry(name, version, entry)
      added += 1
    }
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${added} added\n`)

/** npm looks beside the owner first, then in each folder above it. */
function isPresent(owner: string, name: string): boolean {
  const above = [
    owner,
    ...owner.split('/node_modules/').map((_, index, parts) => parts.slice(0, index).join('/node_modules/')),
  ]
  return above.some(place => `${place === '' ? '' : `${place}/`}node_modules/${name}` in packages)
}

function platformEntry(name: string, version: string, owner: Entry): Entry {
  const words = (name.split('/').at(-1) ?? '').split('-')
  const system = SYSTEMS.find(word => words.includes(word))
  const processor = words.includes('ppc64le') ? 'ppc64' : PROCESSORS.find(word => words.includes(word))
  const musl = words.some(word => word.startsWith('musl'))
  return {
    version: version.replace(/^[~^]/, ''),
    ...(owner.dev ? { dev: true } : {}),
    optional: true,
    ...(processor ? { cpu: [processor] } : {}),
    ...(system ? { os: [system] } : {}),
    ...(system === 'linux' ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
  }
}
