import type { ArtifactDocument } from '#contract/rest/artifacts.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { command } from '#world/command.ts'
import type { Remote } from '#world/system.ts'
import type { Victim } from './case.ts'
import { type CrashWorld, startCrashWorld, untilStopped } from './crash-world.ts'

/** A crash while an image is made for others to fetch: nothing of it runs, so other things are looked at than of an app. */
export interface ImageCrash {
  readonly failpoint: string
  readonly victim: Victim
}

const WITHIN_MS = 120_000
const LOOK_AGAIN_MS = 100

export function imageCrashes(): readonly ImageCrash[] {
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

export function imageCrashText({ failpoint, victim }: ImageCrash): string {
  return `image     deploy  ${failpoint.padEnd(45)} ${victim.padEnd(7)}`
}

/** One after the other in one world; whether all were well. */
export async function runImageCrashes(
  crashes: readonly ImageCrash[],
  tell: (text: string) => void,
): Promise<boolean> {
  await using stack = new AsyncDisposableStack()
  const world = await startCrashWorld(stack, { engine: 'shared' })
  const name = `crash-image-${process.pid}`
  stack.defer(() => removeImages(name))
  const remote = await world.system.addRepository(name, filesOf(world, name, 0))
  let isWell = true
  for (const [index, crash] of crashes.entries()) {
    const wrong = await crashOnce(world, { name, remote, version: index + 1, crash })
    isWell &&= wrong.length === 0
    tell([`${imageCrashText(crash)} ${wrong.length === 0 ? 'ok' : ''}`, ...wrong].join('\n    '))
  }
  return isWell
}

interface Attempt {
  readonly name: string
  readonly remote: Remote
  readonly version: number
  readonly crash: ImageCrash
}

/** All that is not as it is said to be. */
async function crashOnce(
  world: CrashWorld,
  { name, remote, version, crash }: Attempt,
): Promise<readonly string[]> {
  const { client } = world.system.together()
  const commit = await remote.push(filesOf(world, name, version))
  await world.arm(crash.failpoint)
  const { id } = await client.send<DeploymentDocument>('POST', `/apps/${name}/deploy`, {})
  const deadline = systemClock.monotonic() + WITHIN_MS
  const isOver = () => systemClock.monotonic() > deadline
  const isStopped = await untilStopped([world.manager, world.worker], isOver)
  await world.disarm()
  await world.crash(crash.victim)
  const end = await untilEnded(world, id)
  const { items } = await client.get<{ items: ArtifactDocument[] }>(`/artifacts?app=${name}`)
  const made = items.filter(each => each.version === String(version))
  const [one] = made
  const { stdout: left } = await docker('ps', '--all', '--quiet', '--filter', `label=io.fairlead.app=${name}`)
  return [
    ...(isStopped ? [] : ['it did not happen']),
    ...(end?.outcome === 'deployed' ? [] : [`lost: ${end?.state} ${end?.error?.code ?? ''}`]),
    ...(made.length === 1 && one?.commit === commit ? [] : [`unknown: ${made.length} artifacts of it`]),
    ...(one?.attestations.length === 2 && one.attestations.every(each => each.manifests.length === 1)
      ? []
      : ['lost: what is said of it is not beside it']),
    ...(left.trim() === '' ? [] : [`left behind: containers ${left.trim()}`]),
  ]
}

/** Undefined when it does not end. The manager may be away at first. */
async function untilEnded({ system }: CrashWorld, id: string): Promise<DeploymentDetail | undefined> {
  const deadline = systemClock.monotonic() + WITHIN_MS
  while (systemClock.monotonic() < deadline) {
    const asked = system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
    const found = await asked.catch(() => undefined)
    if (found && found.finished_at !== null) {
      return found
    }
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
  return undefined
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
