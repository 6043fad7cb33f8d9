import type { EngineWish } from '#contract/engine.ts'
import { readApps } from '#deploy-file/read-apps.ts'
import { newId } from '#lib/id.ts'
import { chooseEngine } from '#manager/pipeline/choose-engine.ts'
import { DEPLOY_FILE_INVALID } from '#manager/pipeline/errors.ts'
import { ownerOf } from '#manager/pipeline/owner-of.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { presentSecrets } from '#manager/secrets/queries.ts'
import { TARGETS, targetNamed } from '#targets/index.ts'
import type { Target } from '#targets/target.ts'
import type { StackCode } from './read-code.ts'

/** What the Compose files come to with the options of a stack. */
export interface Rendered {
  readonly services: readonly Readonly<Record<string, unknown>>[]
  readonly warnings: readonly string[]
}

/** Stands for a secret that nobody has set yet, while it is only seen whether the files are right. */
const UNSET = 'unset'

/**
 * Renders and checks on the worker what the tree would deploy if one more file stood in it, as its deployment will.
 * Undefined for a stack that is not to run.
 */
export async function renderStack(
  parts: PipelineParts,
  { repository, source }: StackCode,
  { path, text }: { readonly path: string; readonly text: string },
): Promise<Rendered | undefined> {
  const paths = [...new Set([...source.paths, path])]
  const texts = { ...source.texts, [path]: text }
  const read = readApps({ paths, texts, repositoryName: repository.name, targets: TARGETS })
  const entry = read.apps.find(({ files }) => files?.paths.includes(path))
  const target = entry && targetNamed(entry.target)
  const problem = read.problems.find(({ file }) => file === path)
  if (problem) {
    throw DEPLOY_FILE_INVALID(path, problem.message).with({ problems: [problem] })
  }
  if (!entry || !target) {
    return undefined
  }
  const app = await appOf(parts, repository.id, entry.name)
  const owner = ownerOf(app ?? entry, repository)
  const engine = await chooseEngine(
    parts,
    askDirectly(parts, repository.host, { owner }),
    app ?? { id: '', name: entry.name, engine: null },
    wishOf(app) ?? entry.common.engine,
  )
  const known = app ? (await presentSecrets(parts, app.id)).values : {}
  const wanted = secretNames(entry.settings.environment)
  const render = renderTell(target, {
    app: { name: entry.name, baseDomain: parts.baseDomain },
    settings: entry.settings,
    deployment: newId(),
    source,
    found: {},
    registry: parts.registry,
    secrets: { ...Object.fromEntries(wanted.map(name => [name, UNSET])), ...known },
    previous: undefined,
  })
  const result = render ? await askDirectly(parts, repository.host, { engine, owner })(render) : {}
  const missing = wanted.filter(name => !Object.hasOwn(known, name))
  return {
    services: Object.entries((result.services ?? {}) as Record<string, object>).map(([name, service]) => ({
      name,
      ...service,
    })),
    warnings: [
      ...((result.warnings ?? []) as readonly string[]),
      ...missing.map(
        name => `the secret ${name} is not set: "fairlead secrets set ${entry.name} ${name}", then deploy it`,
      ),
    ],
  }
}

/** The first thing that a target of Compose files asks for: merging and checking them changes nothing that runs. */
function renderTell(target: Target, input: Parameters<Target['look']>[0]) {
  return target.look(input as never).find(({ key }) => key === 'render')
}

async function appOf({ db }: PipelineParts, repositoryId: string, entry: string) {
  return await db
    .selectFrom('apps')
    .select(['id', 'name', 'engine', 'overrides'])
    .where('entry', '=', entry)
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
}

/** What was set with the app goes before what its file says. */
function wishOf(app: { readonly overrides: string } | undefined): EngineWish | undefined {
  return (JSON.parse(app?.overrides ?? '{}') as { engine?: EngineWish }).engine
}

function secretNames(environment: unknown): string[] {
  return Object.values((environment ?? {}) as Record<string, unknown>).flatMap(value => {
    const [, name] = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(String(value)) ?? []
    return name ?? []
  })
}
