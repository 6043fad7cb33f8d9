import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DOCKER_SOCKET } from '#cli/demo/engine.ts'
import type { ImageBuildCall } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import { systemClock } from '#lib/clock.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { createRedactor } from '#lib/redact.ts'
import { mustRun } from './command.ts'

const PACKAGES = [
  'base-files base-passwd bash ca-certificates coreutils dash findutils grep login passwd procps sed tar tini',
  'python3 python3-venv python3-ipykernel jupyter-notebook jupyter-server python3-nbclassic',
].flatMap(line => line.split(' '))
/** Raise it when the root is made in another way. */
const LAYOUT = '1'
/** Hundreds of megabytes, on a machine that may be busy. */
const LONG_MS = 300_000
const FOLDER = join(PACKAGE_ROOT, 'notebooks', 'base')

/**
 * The base image of notebooks as its Dockerfile makes it of Debian's packages. No image can be downloaded, so the packages
 * are unpacked into one here. It stays on the engine for the next run: its name tells what it was made from.
 */
export async function ensureNotebookBase(folder: string): Promise<string> {
  const packages = `fairlead-test/notebook-packages:${digest([LAYOUT, ...PACKAGES])}`
  const names = (await readdir(FOLDER)).sort()
  const texts = await Promise.all(names.map(name => readFile(join(FOLDER, name), 'utf8')))
  const base = `fairlead-test/notebook-base:${digest([packages, ...names, ...texts])}`
  if (!(await isThere(folder, base))) {
    if (!(await isThere(folder, packages))) {
      await makePackages(join(folder, 'notebook-base'), packages)
    }
    await build({
      context: FOLDER,
      dockerfile: 'Dockerfile.debian',
      args: { PACKAGES: packages },
      tags: [base],
    })
  }
  return base
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
}

async function isThere(folder: string, image: string): Promise<boolean> {
  return (await mustRun('docker', ['images', '--quiet', image], { folder })) !== ''
}

async function makePackages(folder: string, image: string): Promise<void> {
  const archives = join(folder, 'archives')
  const root = join(folder, 'root')
  await mkdir(join(archives, 'partial'), { recursive: true })
  await download(folder, archives)
  // As a merged /usr has them; the packages themselves leave that to their scripts.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true })
    await symlink(`usr/${name}`, join(root, name))
  }
  for (const name of (await readdir(archives)).filter(each => each.endsWith('.deb'))) {
    await mustRun('dpkg-deb', ['--extract', join(archives, name), root], { folder })
  }
  await symlink('dash', join(root, 'usr/bin/sh')).catch(() => {})
  for (const name of ['passwd', 'group']) {
    await cp(join(root, `usr/share/base-passwd/${name}.master`), join(root, 'etc', name))
  }
  const tar = join(folder, 'root.tar')
  await mustRun(
    'tar',
    ['--create', '--file', tar, '--directory', root, '--numeric-owner', '--owner=0', '--group=0', '.'],
    { folder, timeoutMs: LONG_MS },
  )
  const bare = `${image}-bare`
  await mustRun('docker', ['import', tar, bare], { folder, timeoutMs: LONG_MS })
  await rm(folder, { recursive: true })
  const compile =
    'RUN ["python3", "-m", "compileall", "-q", "/usr/lib/python3/dist-packages", "/usr/lib/python3.11"]'
  await build({
    context: [{ path: 'Dockerfile', text: `FROM ${bare}\n${compile}\n` }],
    dockerfile: 'Dockerfile',
    args: {},
    tags: [image],
  })
  await mustRun('docker', ['rmi', bare], { folder: '/' })
}

/** All that they need, as if nothing was installed; lists of the archive that this machine lacks are fetched beside its own. */
async function download(folder: string, archives: string): Promise<void> {
  await writeFile(join(folder, 'status'), '')
  const options = [
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache::archives=${archives}`,
    'Debug::NoLocking=true',
    'APT::Install-Recommends=false',
  ]
  const fetch = (more: readonly string[]) =>
    mustRun(
      'apt-get',
      [
        ...[...options, ...more].flatMap(option => ['-o', option]),
        '--quiet',
        '--yes',
        '--download-only',
        'install',
        ...PACKAGES,
      ],
      { folder, timeoutMs: LONG_MS },
    )
  try {
    await fetch([])
  } catch {
    const lists = [`Dir::State::lists=${join(folder, 'lists')}`, `Dir::Cache=${folder}`]
    await mkdir(join(folder, 'lists/partial'), { recursive: true })
    await mustRun('apt-get', [...lists.flatMap(option => ['-o', option]), '--quiet', 'update'], {
      folder,
      timeoutMs: LONG_MS,
    })
    await fetch(lists)
  }
}

type Build = Pick<ImageBuildCall<string>, 'context' | 'dockerfile' | 'args' | 'tags'>

async function build(wish: Build): Promise<void> {
  const perform = createPerform({
    clock: systemClock,
    say: () => {},
    signal: AbortSignal.timeout(600_000),
    redactor: createRedactor(),
  })
  await perform({
    ...wish,
    kind: 'image-build',
    socket: DOCKER_SOCKET,
    secrets: {},
    labels: {},
    registries: {},
    timeoutMs: 600_000,
    read: ({ imageId }) => imageId,
  })
}
