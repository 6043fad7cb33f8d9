import { join } from 'node:path'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { mustRun } from '#world/command.ts'
import { type CrashWorld, startCrashWorld } from './crash-world.ts'
import { type Attempt, crashWhile, type LoneCrash, runEach, type Tell } from './lone-crash.ts'
import { PARTS } from './stage.ts'

/** Crashes while the address is written into the repository: what is looked at is the branch that a person pushes to. */
export function writeBackCrashes(): readonly LoneCrash[] {
  const command = ['after-row', 'after-effect'].flatMap(moment =>
    PARTS.map(victim => ({ failpoint: `worker repository.write-back ${moment}`, victim })),
  )
  const push = (['worker', 'both'] as const).map(victim => ({
    failpoint: 'worker repository.write-back after-call git * push *',
    victim,
  }))
  const step = ['before-row', 'after-row', 'after-effect'].map(moment => ({
    failpoint: `manager step write-back ${moment}`,
    victim: 'manager' as const,
  }))
  return [...command, ...push, ...step]
}

export function writeBackCrashText({ failpoint, victim }: LoneCrash): string {
  return `write-back deploy ${failpoint.padEnd(55)} ${victim.padEnd(7)}`
}

/** One after the other in one world; what is wrong after each. */
export async function runWriteBackCrashes(
  crashes: readonly LoneCrash[],
  tell: Tell,
): Promise<readonly (readonly string[])[]> {
  await using stack = new AsyncDisposableStack()
  const world = await startCrashWorld(stack, { engine: 'shared' })
  const name = `crash-links-${process.pid}`
  const remote = await world.system.addRepository(name, filesOf(world, name, 0))
  return await runEach(crashes, { app: { name, remote }, text: writeBackCrashText, tell }, attempt =>
    crashOnce(world, attempt),
  )
}

/** All that is not as it is said to be. */
async function crashOnce(
  world: CrashWorld,
  { name, remote, version, crash }: Attempt,
): Promise<readonly string[]> {
  const { client } = world.system.together()
  const pushed = await remote.push(filesOf(world, name, version))
  const { end, missed } = await crashWhile(world, crash, () =>
    client.send<DeploymentDocument>('POST', `/apps/${name}/deploy`, {}),
  )
  const { body } = await world.system.visit(`${name}.localhost`)
  const git = (...args: string[]) => {
    const folder = join(world.system.gitServer.repositoriesFolder, `${name}.git`)
    return mustRun('git', [`--git-dir=${folder}`, ...args], { folder: '/', env: GIT_ENVIRONMENT })
  }
  const ours = (await git('log', '--format=%(trailers:key=Deploy-Id,valueonly)', `${pushed}..main`)).trim()
  const written = await git('show', 'main:URL.md').catch(() => '')
  return [
    ...missed,
    ...(end?.state === 'succeeded' ? [] : [`lost: ${end?.state} ${end?.error?.code ?? ''}`]),
    ...(body === `version ${version}` ? [] : [`unknown: visitors read ${JSON.stringify(body)}`]),
    ...(ours === end?.id
      ? []
      : [`${ours === '' ? 'lost' : 'duplicated'}: commits of ${JSON.stringify(ours)}`]),
    ...(written.includes(`"commit":"${pushed}"`) ? [] : [`lost: URL.md is ${JSON.stringify(written)}`]),
  ]
}

function filesOf({ system }: CrashWorld, name: string, version: number) {
  const settings = ['target: container', 'port: 8080', 'url_file: URL.md', 'drain: 0s', 'stop_grace: 1s']
  const lines = ['version: 1', 'apps:', `  ${name}:`, ...settings.map(line => `    ${line}`), '']
  return {
    'index.html': `version ${version}`,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'fairlead.yaml': lines.join('\n'),
  }
}
