import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from '#world/command.ts'
import type { Victim } from './case.ts'
import { type CrashWorld, startCrashWorld } from './crash-world.ts'
import { type Attempt, crashWhile, type LoneCrash, runEach, type Tell } from './lone-crash.ts'
import { PARTS } from './stage.ts'

/** A crash while a stack is deployed to a swarm, or removed from it. */
export interface StackCrash extends LoneCrash {
  readonly work: 'deploy' | 'remove'
}

const RIGHT_WITHIN_MS = 60_000
const LOOK_AGAIN_MS = 200
const WITH_ENGINE: readonly Victim[] = ['worker', 'both', 'engine']
/** What a killed engine may make of a deployment that was at work in it: a failure that is told. */
const ENGINE_FAILURES = [
  ...['SWARM_BROKE_OFF', 'SWARM_NOT_AS_PLANNED', 'SWARM_TASKS_FAIL', 'SWARM_ROLLED_BACK'],
  // Until it has a leader again a swarm may let questions wait for longer than they are waited for.
  ...['SWARM_STARTING', 'CALL_TIMED_OUT'],
]

export function stackCrashes(): readonly StackCrash[] {
  const steps = (names: readonly string[]) =>
    names.flatMap(step =>
      ['before-row', 'after-row', 'after-effect'].flatMap(moment =>
        cases(`manager step ${step} ${moment}`, PARTS),
      ),
    )
  const effect = (command: string, after: readonly Victim[]) => [
    ...cases(`worker ${command} before-row`, ['worker']),
    ...cases(`worker ${command} after-row`, after),
    ...cases(`worker ${command} after-effect`, after),
  ]
  const deploy = [
    ...cases('worker swarm.render after-effect', ['both']),
    ...steps(['apply', 'verify']),
    ...effect('swarm.deploy', WITH_ENGINE),
    ...cases('manager apply swarm.deploy after-effect', ['manager', 'both']),
    ...cases('worker swarm.deploy after-call POST docker /secrets/create', ['worker']),
    ...cases('worker swarm.deploy after-call docker * stack deploy *', WITH_ENGINE),
    ...cases('worker swarm.verify after-effect', ['both', 'engine']),
    ...effect('swarm.tidy', ['worker', 'both']),
    ...cases('worker swarm.tidy after-call DELETE docker /secrets/*', ['worker']),
  ]
  const remove = [
    ...steps(['take-down']),
    ...effect('swarm.down', WITH_ENGINE),
    ...cases('worker swarm.down after-call DELETE docker /services/*', ['worker', 'both']),
  ]
  return [
    ...deploy.map(crash => ({ work: 'deploy', ...crash }) as const),
    ...remove.map(crash => ({ work: 'remove', ...crash }) as const),
  ]
}

/** Of a deployment and of a removal: what `npm test` has time for. */
export function stackSample(): readonly StackCrash[] {
  const chosen = [
    'worker swarm.deploy after-call docker * stack deploy * both',
    'worker swarm.down after-call DELETE docker /services/* both',
  ]
  return stackCrashes().filter(({ failpoint, victim }) => chosen.includes(`${failpoint} ${victim}`))
}

function cases(failpoint: string, victims: readonly Victim[]): LoneCrash[] {
  return victims.map(victim => ({ failpoint, victim }))
}

export function stackCrashText({ work, failpoint, victim }: StackCrash): string {
  return `stack     ${work.padEnd(7)} ${failpoint.padEnd(45)} ${victim.padEnd(7)}`
}

/** In one world with a swarm of its own; what is wrong after each. */
export async function runStackCrashes(
  crashes: readonly StackCrash[],
  tell: Tell = () => undefined,
): Promise<readonly (readonly string[])[]> {
  await using stack = new AsyncDisposableStack()
  const world = await startCrashWorld(stack, { engine: 'swarm' })
  const name = `crash-stack-${process.pid}`
  const remote = await world.system.addRepository(name, filesOf(world, name, 0))
  return await runEach(crashes, { app: { name, remote }, text: stackCrashText, tell }, attempt =>
    crashOnce(world, attempt),
  )
}

async function crashOnce(world: CrashWorld, attempt: Attempt<StackCrash>): Promise<readonly string[]> {
  const { name, remote, version, crash } = attempt
  const { client } = world.system.together()
  // Whatever came before: an app that runs.
  await client.send('POST', '/apps', { name, repository: name }).catch(() => undefined)
  await remote.push(filesOf(world, name, version))
  const before = await world.system.deploy(name)
  if (before.state !== 'succeeded') {
    return [`lost: it cannot be deployed: ${before.error?.message}`]
  }
  if (crash.work === 'remove') {
    const ask = () => client.send<DeploymentDocument>('DELETE', `/apps/${name}`, undefined)
    const { end, missed } = await crashWhile(world, crash, ask)
    if (
      crash.victim === 'engine' &&
      end?.state === 'failed' &&
      ENGINE_FAILURES.includes(end.error?.code ?? '')
    ) {
      return missed
    }
    return [...missed, ...notEnded(end, 'removed'), ...(await untilRight(() => notGone(world, name)))]
  }
  await remote.push(filesOf(world, name, `${version}-new`))
  const ask = () => client.send<DeploymentDocument>('POST', `/apps/${name}/deploy`, {})
  const { end, missed } = await crashWhile(world, crash, ask)
  const isBack = crash.victim === 'engine' && ENGINE_FAILURES.includes(end?.error?.code ?? '')
  return [
    ...missed,
    ...(isBack ? notBack(end) : notEnded(end, 'deployed')),
    ...(await untilRight(() => notRunning(world, name, isBack ? String(version) : `${version}-new`))),
  ]
}

function notEnded(end: DeploymentDetail | undefined, wanted: string): readonly string[] {
  return end?.state === 'succeeded' && end.outcome === wanted
    ? []
    : [`lost: ${end?.state} ${end?.outcome} ${end?.error?.code ?? ''} ${end?.error?.message ?? ''}`]
}

function notBack(end: DeploymentDetail | undefined): readonly string[] {
  return end?.outcome === 'returned-to-previous' ? [] : [`unknown: not taken back: ${end?.outcome}`]
}

/** One service with one task of this version, one secret, and nothing of another version. */
async function notRunning(world: CrashWorld, name: string, version: string): Promise<readonly string[]> {
  const environment = await docker(world, 'service', 'inspect', `${name}_web`, '--format', ENVIRONMENT)
  const secrets = lines(await docker(world, 'secret', 'ls', '--format', '{{.Name}}'))
  const services = lines(await docker(world, 'service', 'ls', '--format', '{{.Name}}'))
  const tasks = await docker(
    world,
    'service',
    'ps',
    `${name}_web`,
    '--filter',
    'desired-state=running',
    ...STATE,
  )
  return [
    ...(environment.includes(`VERSION=${version} `) ? [] : [`unknown: it runs ${environment}`]),
    ...(services.length === 1 ? [] : [`duplicated: services ${services.join()}`]),
    ...(lines(tasks).length === 1 && tasks.startsWith('Running') ? [] : [`unknown: tasks ${tasks}`]),
    ...(secrets.length === 1 ? [] : [`left behind: secrets ${secrets.join()}`]),
  ]
}

const ENVIRONMENT = '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{.}} {{end}}'
const STATE = ['--format', '{{.CurrentState}}']

async function notGone(world: CrashWorld, name: string): Promise<readonly string[]> {
  const networks = ['network', 'ls', '--filter', `name=${name}`, '--format', 'network {{.Name}}']
  const left = [
    ...lines(await docker(world, 'service', 'ls', '--format', 'service {{.Name}}')),
    ...lines(await docker(world, 'secret', 'ls', '--format', 'secret {{.Name}}')),
    ...lines(await docker(world, ...networks)),
    ...lines(await docker(world, 'ps', '--all', '--format', 'container {{.Names}}')),
  ]
  return left.map(each => `left behind: ${each}`)
}

/** A swarm whose engine was killed after the end starts its tasks again, and removes what it was told to. */
async function untilRight(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const deadline = systemClock.monotonic() + RIGHT_WITHIN_MS
  for (;;) {
    const wrong = await look()
    if (wrong.length === 0 || systemClock.monotonic() > deadline) {
      return wrong
    }
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}

async function docker({ engine }: CrashWorld, ...args: string[]): Promise<string> {
  return await mustRun('docker', ['--host', `unix://${engine?.socket}`, ...args], { folder: '/' })
}

/** Nothing is built: which version runs is said by a variable and by what is in a secret. */
function filesOf({ system }: CrashWorld, name: string, version: number | string) {
  return {
    'compose.yaml': [
      'services:',
      '  web:',
      `    image: ${system.baseImage}`,
      '    init: true',
      '    command: ["sleep", "100000"]',
      '    stop_grace_period: 1s',
      `    environment: ["VERSION=${version}"]`,
      '    secrets: [word]',
      '    deploy: { update_config: { monitor: 300ms }, restart_policy: { delay: 300ms } }',
      'secrets: { word: { environment: WORD } }',
      '',
    ].join('\n'),
    'fairlead.yaml': [
      'version: 1',
      'apps:',
      `  ${name}:`,
      '    target: stack',
      '    push: false',
      `    environment: { WORD: "${version}" }`,
      '',
    ].join('\n'),
  }
}
