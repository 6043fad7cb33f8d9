import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

/** The files of a build of the web interface: a closed list, so that no address can name another file. */
export interface WebFiles {
  find(path: string): WebFile | undefined
}

export interface WebFile {
  readonly type: string
  readonly etag: string
  /** Its name has the hash of its content. */
  readonly isImmutable: boolean
  /** Its bytes, compressed in the first of these ways that there is. */
  read(encodings: readonly Encoding[]): { readonly bytes: Buffer; readonly encoding: Encoding | undefined }
}

export type Encoding = 'br' | 'gzip'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const ENDINGS: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' }

/** The list of one folder; names and hashes only, content stays on the disk. */
export function listWebFiles(folder: string | undefined): WebFiles {
  const files = new Map<string, WebFile>()
  const names = folder === undefined ? [] : (readdirSync(folder, { recursive: true }) as string[])
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (folder !== undefined && type !== undefined) {
      files.set(`/${name}`, webFile(join(folder, name), { type, isImmutable: name.startsWith('assets/') }))
    }
  }
  return { find: path => files.get(path) }
}

/** Where the newest build is: of a checkout in .cache, shipped in dist. Undefined: there is none. */
export function webFolder(root = PACKAGE_ROOT): string | undefined {
  const cache = join(root, '.cache/web')
  const current = join(cache, 'current.json')
  if (existsSync(current)) {
    const { folder } = JSON.parse(readFileSync(current, 'utf8')) as { folder: string }
    return join(cache, folder)
  }
  const shipped = join(root, 'dist/web')
  return existsSync(shipped) ? shipped : undefined
}

function webFile(path: string, { type, isImmutable }: Pick<WebFile, 'type' | 'isImmutable'>): WebFile {
  const etag = `"${createHash('sha256').update(readFileSync(path)).digest('base64url').slice(0, 22)}"`
  return {
    type,
    isImmutable,
    etag,
    read(encodings) {
      const encoding = encodings.find(each => existsSync(path + ENDINGS[each]))
      return { bytes: readFileSync(encoding === undefined ? path : path + ENDINGS[encoding]), encoding }
    },
  }
}
