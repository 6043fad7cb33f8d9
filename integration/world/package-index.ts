import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'
import { mustRun } from './command.ts'

/** A Python module of one file, and the version of the package that it is alone in. */
export interface PythonPackage {
  readonly name: string
  readonly version: string
  readonly source: string
}

export interface PackageIndex {
  readonly url: string
  readonly host: string
}

/** What pip asks for packages, at the engine's own address: builds reach it, and nothing comes from further away. */
export async function startPackageIndex(
  stack: AsyncDisposableStack,
  packages: readonly PythonPackage[],
): Promise<PackageIndex> {
  const host = await engineAddress()
  const server = createServer(({ url = '' }, response) => {
    const [, list, file] = /^\/(?:simple\/([^/]+)\/|files\/([^/]+))$/.exec(url) ?? []
    const found = packages.filter(each => each.name === list || fileName(each) === file)
    const [first] = found
    if (!first) {
      response.writeHead(404).end()
    } else if (file === undefined) {
      const links = found.map(each => `<a href="/files/${fileName(each)}">${fileName(each)}</a>`)
      response.setHeader('content-type', 'text/html').end(`<!DOCTYPE html>${links.join('\n')}`)
    } else {
      response.end(wheelOf(first))
    }
  })
  server.listen(0, host)
  await once(server, 'listening')
  stack.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host, url: `http://${host}:${(server.address() as AddressInfo).port}/simple/` }
}

/** Of its own bridge. A new engine does not tell the gateway itself before it is started a second time. */
async function engineAddress(): Promise<string> {
  const format = '{{index .Options "com.docker.network.bridge.name"}}'
  const bridge = await mustRun('docker', ['network', 'inspect', 'bridge', '--format', format], {
    folder: '/',
  })
  const shown = await mustRun('ip', ['-json', '-4', 'address', 'show', bridge.trim()], { folder: '/' })
  const [link] = JSON.parse(shown) as { readonly addr_info: readonly { readonly local: string }[] }[]
  assert.ok(link?.addr_info[0], `the engine's bridge ${bridge.trim()} has no address`)
  return link.addr_info[0].local
}

function fileName({ name, version }: PythonPackage): string {
  return `${name}-${version}-py3-none-any.whl`
}

function wheelOf({ name, version, source }: PythonPackage): Buffer {
  const info = `${name}-${version}.dist-info`
  const files = {
    [`${name}.py`]: source,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  }
  const record = [...Object.keys(files), `${info}/RECORD`].map(path => `${path},,\n`).join('')
  return zipOf({ ...files, [`${info}/RECORD`]: record })
}

/** Without compression. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const [name, data] = [Buffer.from(path), Buffer.from(text)]
    // Version 2.0, no flags, stored, 1 January 1980, checksum, both sizes, length of the name, nothing more.
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(0x21, 8)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(name.length, 22)
    parts.push(Buffer.from('PK\x03\x04'), common, name, data)
    const where = Buffer.alloc(14)
    where.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, where, name)
    offset += 30 + name.length + data.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  const count = Object.keys(files).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(listed.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, listed, Buffer.from('PK\x05\x06'), end])
}
