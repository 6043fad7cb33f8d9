import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from './command.ts'

const PROGRAM = '/usr/bin/docker-registry'

/** An image like the public one of the registry, of the program that this machine has: nothing can be downloaded. */
export async function makeRegistryImage(
  folder: string,
  { name, base }: { readonly name: string; readonly base: string },
): Promise<void> {
  const context = join(folder, 'registry-image')
  const libraries = await librariesOf(PROGRAM)
  await mkdir(context, { recursive: true })
  await copyFile(PROGRAM, join(context, 'docker-registry'))
  const lines = [`FROM ${base}`, 'COPY docker-registry /bin/docker-registry']
  for (const [at, library] of libraries.entries()) {
    await copyFile(await realpath(library), join(context, `library-${at}`))
    lines.push(`COPY library-${at} ${library}`)
  }
  lines.push('ENTRYPOINT ["docker-registry"]', 'CMD ["serve", "/etc/docker/registry/config.yml"]')
  await writeFile(join(context, 'Dockerfile'), `${lines.join('\n')}\n`)
  const env = { DOCKER_BUILDKIT: '0' }
  await mustRun('docker', ['build', '--quiet', '--force-rm', '--tag', name, context], { folder, env })
}

async function librariesOf(program: string): Promise<string[]> {
  const text = await mustRun('ldd', [program], { folder: '/' })
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(found => found[1] ?? '')
}
