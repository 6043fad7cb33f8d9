import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'

/** A file's text, a link's target, another repository's commit, a folder, or an object that is there already. */
export type Crafted =
  | string
  | { readonly link: string }
  | { readonly submodule: string }
  | { readonly folder: Readonly<Record<string, Crafted>> }
  | { readonly mode: string; readonly id: string }

export interface CraftedCommit {
  readonly files: Readonly<Record<string, Crafted>>
  /** Full name of the ref that points to it; default refs/heads/main. */
  readonly ref?: string
  readonly message?: string
  readonly author?: string
}

/** Commits to a bare repository what git itself would refuse to commit. Gives the commit. */
export async function craftCommit(bare: string, commit: CraftedCommit): Promise<string> {
  const { files, ref = 'refs/heads/main', message = 'crafted\n', author = 'Ada <ada@example.org>' } = commit
  const tree = await craftTree(bare, files)
  const text = `tree ${tree}\nauthor ${author} 1700000000 +0000\ncommitter ${author} 1700000000 +0000\n\n${message}`
  const id = await craftObject(bare, 'commit', Buffer.from(text))
  await mkdir(dirname(join(bare, ref)), { recursive: true })
  await writeFile(join(bare, ref), `${id}\n`)
  return id
}

export async function craftTree(bare: string, files: Readonly<Record<string, Crafted>>): Promise<string> {
  const entries: { name: string; mode: string; id: string }[] = []
  for (const [name, crafted] of Object.entries(files)) {
    entries.push({ name, ...(await craftEntry(bare, crafted)) })
  }
  const sorted = entries.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)))
  const lines = sorted.map(({ mode, name, id }) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
  )
  return craftObject(bare, 'tree', Buffer.concat(lines))
}

export function craftBlob(bare: string, content: string | Buffer): Promise<string> {
  return craftObject(bare, 'blob', typeof content === 'string' ? Buffer.from(content) : content)
}

async function craftEntry(bare: string, crafted: Crafted): Promise<{ mode: string; id: string }> {
  if (typeof crafted === 'string') {
    return { mode: '100644', id: await craftBlob(bare, crafted) }
  }
  if ('link' in crafted) {
    return { mode: '120000', id: await craftBlob(bare, crafted.link) }
  }
  if ('submodule' in crafted) {
    return { mode: '160000', id: crafted.submodule }
  }
  return 'folder' in crafted ? { mode: '40000', id: await craftTree(bare, crafted.folder) } : crafted
}

/** git sorts a folder as if its name ended in a slash. */
function sortKey({ name, mode }: { name: string; mode: string }): Buffer {
  return Buffer.from(mode === '40000' ? `${name}/` : name)
}

async function craftObject(bare: string, type: string, content: Buffer): Promise<string> {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  const id = createHash('sha1').update(whole).digest('hex')
  const folder = join(bare, 'objects', id.slice(0, 2))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, id.slice(2)), await promisify(deflate)(whole))
  return id
}
