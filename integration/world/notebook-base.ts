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
const R_PACKAGES = ['r-base-core', 'r-cran-irkernel']
/** What the script of R's package and a whole Debian would bring. */
const R_SCRIPTS = [
  'cp /usr/lib/R/etc/Renviron.ucf /etc/R/Renviron',
  `printf '#!/bin/sh\\ncommand -v "$@"\\n' > /usr/bin/which`,
  'chmod 755 /usr/bin/which',
].join(' && ')
/** Raise it when the root is made in another way. */
const LAYOUT = '1'
/** Hundreds of megabytes, on a machine that may be busy. */
const LONG_MS = 300_000
const FOLDER = join(PACKAGE_ROOT, 'notebooks', 'base')
/** In that folder, and in no image made of Dockerfile.debian. */
const OTHER_FILES = /^README|^Dockerfile(?!\.debian$)/

/**
 * The base image of notebooks as its Dockerfile makes it of Debian's packages. No image can be downloaded, so the packages
 * are unpacked into one here. It stays on the engine for the next run: its name tells what it was made from.
 */
export async function ensureNotebookBase(folder: string): Promise<string> {
  return await ensureBase(folder, PACKAGES)
}

/** The same with R, as its Dockerfile makes it of the other one. */
export async function ensureRBase(folder: string): Promise<string> {
  const packages = await ensureBase(folder, [...PACKAGES, ...R_PACKAGES])
  const dockerfile = 'Dockerfile.r'
  const text = await readFile(join(FOLDER, dockerfile), 'utf8')
  const made = `FROM ${packages}\nUSER 0\nRUN ${R_SCRIPTS}\n`
  const base = `fairlead-test/notebook-r:${digest([made, text])}`
  if (!(await isThere(folder, base))) {
    const packaged = `${base}-packaged`
    await build({
      context: [{ path: 'Dockerfile', text: made }],
      ...{ dockerfile: 'Dockerfile', args: {}, tags: [packaged] },
    })
    await build({
      ...{ context: FOLDER, dockerfile },
      args: { BASE: packages, PACKAGED: packaged },
      tags: [base],
    })
  }
  return base
}

async function ensureBase(folder: string, wanted: readonly string[]): Promise<string> {
  const packages = `fairlead-test/notebook-packages:${digest([LAYOUT, ...wanted])}`
  const names = (await readdir(FOLDER)).filter(each => !OTHER_FILES.test(each)).sort()
  const texts = await Promise.all(names.map(name => readFile(join(FOLDER, name), 'utf8')))
  const base = `fairlead-test/notebook-base:${digest([packages, ...names, ...texts])}`
  if (!(await isThere(folder, base))) {
    if (!(await isThere(folder, packages))) {
      await makePackages(join(folder, 'notebook-base'), packages, wanted)
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

async function makePackages(folder: string, image: string, wanted: readonly string[]): Promise<void> {
  const archives = join(folder, 'archives')
  const root = join(folder, 'root')
  await mkdir(join(archives, 'partial'), { recursive: true })
  await download(folder, archives, wanted)
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
  await chooseLibraries(join(root, 'usr/lib'))
  const tar = join(folder, 'root.tar')
  await mustRun(
    'tar',
    ['--create', '--file', tar, '--directory', root, '--numeric-owner', '--owner=0', '--group=0', '.'],
    { folder, timeoutMs: LONG_MS },
  )
  const bare = `${image}-bare`
  await mustRun('docker', ['import', tar, bare], { folder, timeoutMs: LONG_MS })
  await rm(folder, { recursive: true })
  const folders = `("/usr/lib/python3/dist-packages", sysconfig.get_path("stdlib"))`
  const program = `import compileall, sysconfig; [compileall.compile_dir(each, quiet=2) for each in ${folders}]`
  const compile = `RUN ${JSON.stringify(['python3', '-c', program])}`
  await build({
    context: [{ path: 'Dockerfile', text: `FROM ${bare}\n${compile}\n` }],
    dockerfile: 'Dockerfile',
    args: {},
    tags: [image],
  })
  await mustRun('docker', ['rmi', bare], { folder: '/' })
}

/** Of several that do the same, the packages' scripts would choose one. */
async function chooseLibraries(libraries: string): Promise<void> {
  for (const machine of (await readdir(libraries)).filter(each => each.endsWith('-linux-gnu'))) {
    const there = await readdir(join(libraries, machine))
    for (const name of ['blas', 'lapack'].filter(each => there.includes(each))) {
      await symlink(`${name}/lib${name}.so.3`, join(libraries, machine, `lib${name}.so.3`))
    }
  }
}

/** All that they need, as if nothing was installed; lists of the archive that this machine lacks are fetched beside its own. */
async function download(folder: string, archives: string, wanted: readonly string[]): Promise<void> {
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
        ...wanted,
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
