import assert from 'node:assert/strict'
import type { PlanDocument } from '#contract/rest/plans.ts'
import { mustRun } from './command.ts'
import type { System } from './system.ts'

/** What the engine says of one container of an app. */
interface Facts {
  readonly id: string
  readonly name: string
  readonly startedAt: string
  readonly image: string
  readonly environment: readonly string[]
  readonly ports: readonly string[]
}

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Image: string
  readonly State: { readonly StartedAt: string }
  readonly Config: { readonly Env: string[] | null; readonly Labels: Record<string, string> }
  readonly HostConfig: { readonly PortBindings: Record<string, { HostPort: string }[]> | null }
}

/** The containers of an app by service; a container app has one, called after the app. */
async function factsOf(system: System, app: string): Promise<ReadonlyMap<string, Facts>> {
  const docker = (...args: string[]) => mustRun('docker', args, { folder: system.folder })
  const ids = (await docker('ps', '--all', '--quiet', '--filter', `label=io.fairlead.app=${app}`)).split('\n')
  const found = ids.filter(Boolean)
  const inspected = found.length === 0 ? [] : (JSON.parse(await docker('inspect', ...found)) as Inspected[])
  return new Map(
    inspected.map(each => [
      each.Config.Labels['com.docker.compose.service'] ?? app,
      {
        id: each.Id,
        name: each.Name.slice(1),
        startedAt: each.State.StartedAt,
        image: each.Image,
        environment: each.Config.Env ?? [],
        ports: Object.values(each.HostConfig.PortBindings ?? {}).flatMap(all => all.map(one => one.HostPort)),
      },
    ]),
  )
}

/** Plans, deploys, and holds every line of the plan against what the engine says then. Gives the plan. */
export async function checkPlan(system: System, app: string): Promise<PlanDocument> {
  const before = await factsOf(system, app)
  const plan = await system.together().client.send<PlanDocument>('POST', `/apps/${app}/plan`, {})
  assert.deepEqual(await factsOf(system, app), before, 'a plan changes nothing')
  assert.doesNotMatch(JSON.stringify(plan.changes), /value-/)
  const ended = await system.deploy(app)
  const after = await factsOf(system, app)
  const said = (...kinds: string[]) =>
    plan.changes
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ what }) => what)
      .sort()
  assert.equal(ended.plan_hash, plan.hash, 'who asks has no part in the hash')
  if (plan.nothing_to_do) {
    assert.equal(ended.outcome, 'nothing-to-do')
    assert.deepEqual(after, before)
    assert.deepEqual(said('untouched').length, plan.changes.length)
    return plan
  }
  assert.deepEqual([ended.error, ended.outcome], [null, 'deployed'])
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  const both = keys.filter(key => before.has(key) && after.has(key))
  const moved = both.filter(key => before.get(key)?.id !== after.get(key)?.id)
  // A container app has its container's name in the plan, a service its own.
  const nameIn = (key: string) => (key === app ? (before.get(key)?.name ?? `container of ${app}`) : key)
  assert.deepEqual(said('recreate', 'replace'), moved.map(nameIn).sort())
  assert.deepEqual(
    said('add'),
    keys
      .filter(key => !before.has(key))
      .map(nameIn)
      .sort(),
  )
  assert.deepEqual(
    said('remove'),
    keys.flatMap(key => (after.has(key) ? [] : (before.get(key)?.name ?? []))).sort(),
  )
  const same = both.filter(key => !moved.includes(key))
  assert.deepEqual(said('untouched'), same.map(nameIn).sort())
  for (const key of same) {
    assert.deepEqual(after.get(key), before.get(key))
  }
  const names = (key: string) => (key === app ? '' : ` of ${key}`)
  assert.deepEqual(
    said('environment'),
    moved
      .flatMap(key => changedNames(before.get(key), after.get(key)).map(name => `${name}${names(key)}`))
      .sort(),
  )
  const opened = keys.flatMap(key => without(after.get(key)?.ports, before.get(key)?.ports))
  const closed = keys.flatMap(key => without(before.get(key)?.ports, after.get(key)?.ports))
  assert.deepEqual([numbersIn(said('open')), numbersIn(said('close'))], [opened.sort(), closed.sort()])
  assert.deepEqual(
    said('image'),
    moved.filter(key => before.get(key)?.image !== after.get(key)?.image).sort(),
  )
  return plan
}

function changedNames(before: Facts | undefined, after: Facts | undefined): string[] {
  const lines = [
    ...without(before?.environment, after?.environment),
    ...without(after?.environment, before?.environment),
  ]
  return [...new Set(lines.map(line => line.slice(0, line.indexOf('='))))]
}

function without(all: readonly string[] = [], others: readonly string[] = []): string[] {
  return all.filter(each => !others.includes(each))
}

/** `host port 20080 of web`, `:20080/tcp` */
function numbersIn(texts: readonly string[]): string[] {
  return texts.map(text => /\d{4,5}/.exec(text)?.[0] ?? text).sort()
}
