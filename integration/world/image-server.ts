import { createHash } from 'node:crypto'
import { copyFile, readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createAuthority } from './engine-certificates.ts'
import type { IncusHost } from './incus.ts'

const PORT = 8444
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch
const FILE = 'incus_combined.tar.gz'

/** Where the server of a host is, whether it is there already or not. */
export function imageServerOf({ wire }: Pick<IncusHost, 'wire'>): string {
  return `https://${wire.hostIp}:${PORT}/mirror`
}

/**
 * A server of images that speaks simplestreams, as the public one does. It has "tiny/1", the image in the file, and
 * "broken/1", of which it says another checksum. Its certificate is one that the daemon of the host trusts.
 */
export async function serveImages(
  stack: AsyncDisposableStack,
  { wire, folder }: Pick<IncusHost, 'wire' | 'folder'>,
  file: string,
): Promise<void> {
  const authority = await createAuthority()
  const own = join(folder, 'image-server')
  const { ca, cert, key } = await authority.issue({ folder: own, use: 'server', names: [wire.hostIp] })
  await copyFile(ca, join(folder, 'authority.pem'))
  // Packed otherwise it is another image to the daemon, which would not fetch what it has.
  const image = gzipSync(gunzipSync(await readFile(file)), { level: 1 })
  const sha256 = createHash('sha256').update(image).digest('hex')
  const products = {
    ...productOf('tiny', { sha256, size: image.length }),
    ...productOf('broken', {
      sha256: createHash('sha256').update('other').digest('hex'),
      size: image.length,
    }),
  }
  const about = { datatype: 'image-downloads', format: 'products:1.0' }
  const path = 'streams/v1/images.json'
  const answers = new Map<string, string | Buffer>([
    [
      '/mirror/streams/v1/index.json',
      JSON.stringify({
        format: 'index:1.0',
        index: { images: { ...about, path, products: Object.keys(products) } },
      }),
    ],
    [`/mirror/${path}`, JSON.stringify({ ...about, content_id: 'images', products })],
    ['/mirror/images/tiny.tar.gz', image],
    ['/mirror/images/broken.tar.gz', image],
  ])
  const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, (request, answer) => {
    const body = answers.get(request.url ?? '')
    answer.statusCode = body === undefined ? 404 : 200
    answer.end(body)
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(PORT, wire.hostIp, resolve)
  await promise
  stack.defer(async () => {
    server.closeAllConnections()
    await new Promise(closed => server.close(closed))
  })
}

function productOf(name: string, file: { readonly sha256: string; readonly size: number }): object {
  const items = { [FILE]: { ftype: FILE, path: `images/${name}.tar.gz`, ...file } }
  return {
    [`${name}:1:${ARCHITECTURE}:default`]: {
      ...{ aliases: `${name}/1`, arch: ARCHITECTURE, os: name, release: '1', release_title: '1' },
      ...{ variant: 'default', versions: { '20260101_0000': { items } } },
    },
  }
}
