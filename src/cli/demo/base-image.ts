import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Pack, pack } from 'tar-stream'
import { callEngine, DOCKER_SOCKET } from './engine.ts'

const BUSYBOX = '/bin/busybox'
const LABEL = 'fairlead.base-image'
/** Raise it when the content below changes. */
const LAYOUT = '1'
const PASSWD = 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'

export interface BaseImage {
  readonly name: string
  readonly id: string
  /** False when the image with this content was there already. */
  readonly created: boolean
}

/** A tiny image (a static busybox, no download) under this name; made when it is absent or its content differs. */
export async function ensureBaseImage(options: { name: string; socketPath?: string }): Promise<BaseImage> {
  const { name, socketPath = DOCKER_SOCKET } = options
  const busybox = await readFile(BUSYBOX)
  const applets = await listApplets()
  const hash = createHash('sha256').update(LAYOUT).update(applets.join()).update(busybox).digest('hex')
  const present = await inspect(socketPath, name)
  if (present?.Config.Labels?.[LABEL] === hash) {
    return { name, id: present.Id, created: false }
  }
  const id = await importImage(socketPath, { name, hash, files: packFiles(busybox, applets) })
  return { name, id, created: true }
}

async function listApplets(): Promise<string[]> {
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list'], { env: {} })
  return stdout.split('\n').filter(name => name !== '' && name !== 'busybox')
}

function packFiles(busybox: Buffer, applets: readonly string[]): Pack {
  const tar = pack()
  const mtime = new Date(0)
  for (const name of ['bin', 'etc']) {
    tar.entry({ name, type: 'directory', mode: 0o755, mtime })
  }
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777, mtime })
  tar.entry({ name: 'etc/passwd', mode: 0o644, mtime }, PASSWD)
  tar.entry({ name: 'bin/busybox', mode: 0o755, mtime }, busybox)
  for (const applet of applets) {
    tar.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox', mtime })
  }
  tar.finalize()
  return tar
}

async function inspect(
  socketPath: string,
  name: string,
): Promise<{ Id: string; Config: { Labels: Record<string, string> | null } } | undefined> {
  const reply = await callEngine(socketPath, { method: 'GET', path: `/images/${name}/json` })
  if (reply.status === 404) {
    return undefined
  }
  if (reply.status !== 200) {
    throw new Error(`the Docker engine cannot look at ${name}: ${reply.text}`)
  }
  return JSON.parse(reply.text)
}

async function importImage(
  socketPath: string,
  { name, hash, files }: { name: string; hash: string; files: Pack },
): Promise<string> {
  const tagStart = name.lastIndexOf(':') > name.lastIndexOf('/') ? name.lastIndexOf(':') : name.length
  const query = new URLSearchParams({
    fromSrc: '-',
    repo: name.slice(0, tagStart),
    tag: name.slice(tagStart + 1) || 'latest',
  })
  query.append('changes', `LABEL ${LABEL}=${hash}`)
  query.append('changes', 'CMD ["/bin/sh"]')
  const reply = await callEngine(socketPath, { method: 'POST', path: `/images/create?${query}`, body: files })
  // A failure after the first byte comes as an event of the stream, with status 200.
  const events = reply.text
    .split('\n')
    .flatMap(line => (line.trim() ? [JSON.parse(line) as { status?: string; error?: string }] : []))
  const id = events.findLast(event => event.status?.startsWith('sha256:'))?.status
  if (reply.status !== 200 || id === undefined) {
    throw new Error(`the Docker engine did not make ${name}: ${reply.text}`)
  }
  return id
}
