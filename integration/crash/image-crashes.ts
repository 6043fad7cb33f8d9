import type { ArtifactDocument } from '#contract/rest/artifacts.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { command } from '#world/command.ts'
import { type CrashWorld, startCrashWorld } from './crash-world.ts'
import { type Attempt, crashWhile, type LoneCrash, runEach, type Tell } from './lone-crash.ts'

/** Crashes while an image is made for others to fetch: nothing of it runs, so other things are looked at than of an app. */
export function imageCrashes(): readonly LoneCrash[] {
  const atWorker = ['image.content', 'image.build', 'image.publish', 'image.attest'].flatMap(name =>
    ['after-row', 'after-effect'].flatMap(moment =>
      (['worker', 'both'] as const).map(victim => ({ failpoint: `worker ${name} ${moment}`, victim })),
    ),
  )
  const atManager = [
    'push image.publish',
    'verify image.published',
    'attest image.attest',
    'step attest',
  ].flatMap(place =>
    ['after-row', 'after-effect'].map(moment => ({
      failpoint: `manager ${place} ${moment}`,
      victim: 'manager' as const,
    })),
  )
  return [...atWorker, ...atManager]
}

export function imageCrashText({ failpoint, victim }: LoneCrash): string {
  return `image     deploy  ${failpoint.padEnd(45)} ${victim.padEnd(7)}`
}

/** One after the other in one world; what is wrong after each. */
export async function runImageCrashes(
  crashes: readonly LoneCrash[],
  tell: Tell,
): Promise<readonly (readonly string[])[]> {
  await using stack = new AsyncDisposableStack()
  const world = await startCrashWorld(stack, { engine: 'shared' })
  const name = `crash-image-${process.pid}`
  stack.defer(() => removeImages(name))
  const remote = await world.system.addRepository(name, filesOf(world, name, 0))
  return await runEach(crashes, { app: { name, remote }, text: imageCrashText, tell }, attempt =>
    crashOnce(world, attempt),
  )
}

/** All that is not as it is said to be. */
async function crashOnce(
  world: CrashWorld,
  { name, remote, version, crash }: Attempt,
): Promise<readonly string[]> {
  const { client } = world.system.together()
  const commit = await remote.push(filesOf(world, name, version))
  const { end, missed } = await crashWhile(world, crash, () =>
    client.send<DeploymentDocument>('POST', `/apps/${name}/deploy`, {}),
  )
  const { items } = await client.get<{ items: ArtifactDocument[] }>(`/artifacts?app=${name}`)
  const made = items.filter(each => each.version === String(version))
  const [one] = made
  const { stdout: left } = await docker('ps', '--all', '--quiet', '--filter', `label=io.fairlead.app=${name}`)
  return [
    ...missed,
    ...(end?.outcome === 'deployed' ? [] : [`lost: ${end?.state} ${end?.error?.code ?? ''}`]),
    ...(made.length === 1 && one?.commit === commit ? [] : [`unknown: ${made.length} artifacts of it`]),
    ...(one?.attestations.length === 2 && one.attestations.every(each => each.manifests.length === 1)
      ? []
      : ['lost: what is said of it is not beside it']),
    ...(left.trim() === '' ? [] : [`left behind: containers ${left.trim()}`]),
  ]
}

function filesOf({ system }: CrashWorld, name: string, version: number) {
  const lines = ['version: 1', 'apps:', `  ${name}:`, '    target: image', `    version: "${version}"`, '']
  return {
    Dockerfile: `FROM ${system.baseImage}\nRUN head -c 64 /dev/urandom > /once && echo ${version} > /version\n`,
    '.dockerignore': 'fairlead.yaml\n.dockerignore\n',
    'fairlead.yaml': lines.join('\n'),
  }
}

async function removeImages(name: string): Promise<void> {
  const { stdout } = await docker('images', '--quiet', '--filter', `label=io.fairlead.app=${name}`)
  const ids = [...new Set(stdout.split(/\s+/).filter(Boolean))]
  if (ids.length > 0) {
    await docker('rmi', '--force', ...ids)
  }
}

async function docker(...args: string[]) {
  return await command('docker', args, { folder: '/' })
}
