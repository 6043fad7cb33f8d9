import type { EngineWish } from '#contract/engine.ts'
import { conventionTexts } from '#deploy-file/convention-apps.ts'
import { type ReadApp, readApps } from '#deploy-file/read-apps.ts'
import { newId } from '#lib/id.ts'
import { chooseEngine } from '#manager/pipeline/choose-engine.ts'
import { withTexts } from '#manager/pipeline/described-apps.ts'
import { DEPLOY_FILE_INVALID, REMOTE_SECRET_MISSING } from '#manager/pipeline/errors.ts'
import { remoteTell } from '#manager/pipeline/join-remotes.ts'
import { ownerOf } from '#manager/pipeline/owner-of.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { readSecretFiles } from '#manager/pipeline/read-secret-files.ts'
import { fetchSource, type Source } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { presentSecrets } from '#manager/secrets/queries.ts'
import { openShared, sharedSecretsOf } from '#manager/secrets/shared.ts'
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
  code: StackCode,
  file: WrittenFile,
): Promise<Rendered | undefined> {
  const { repository } = code
  const own = entryAt(code, file)
  if (!own) {
    return undefined
  }
  const app = await appOf(parts, repository.id, own.name)
  const joined = await joinRemotes(parts, code, { entry: own, app, path: file.path })
  if (joined && 'unread' in joined) {
    return { services: [], warnings: [joined.unread] }
  }
  const source = joined?.source ?? code.source
  const entry = joined ? entryAt({ repository, source }, file) : own
  const target = entry && targetNamed(entry.target)
  if (!entry || !target) {
    return undefined
  }
  const owner = ownerOf(app ?? entry, repository)
  const engine = await chooseEngine(
    parts,
    askDirectly(parts, repository.host, { owner }),
    app ?? { id: '', name: entry.name, engine: null },
    wishOf(app) ?? entry.common.engine,
  )
  const inFiles = await readSecretFiles(parts, askDirectly(parts, repository.host, { owner }), {
    ...{ repository, source, files: entry.common.secret_files ?? [] },
  })
  const values = inFiles?.values ?? {}
  const known = app
    ? (await presentSecrets(parts, app.id, { values, revisions: {} })).values
    : { ...(await sharedValues(parts, repository)), ...values }
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

interface WrittenFile {
  /** What the stack's app is called in its repository. */
  readonly entry: string
  readonly path: string
  readonly text: string
}

/** What the tree describes by this file, if it stood in it; DEPLOY_FILE_INVALID when it is wrong. */
function entryAt(
  { repository, source }: Pick<StackCode, 'repository' | 'source'>,
  { entry, path, text }: WrittenFile,
): ReadApp | undefined {
  const paths = [...new Set([...source.paths, path])]
  const texts = { ...source.texts, [path]: text }
  const read = readApps({ paths, texts, repositoryName: repository.name, targets: TARGETS })
  const [broken] = read.convention?.entries.get(entry)?.problems ?? []
  const problem = read.problems.find(({ file }) => file === path) ?? broken
  if (problem) {
    throw DEPLOY_FILE_INVALID(problem.file ?? path, problem.message).with({ problems: [problem] })
  }
  return read.apps.find(({ files }) => files?.paths.includes(path))
}

/** With the files of other repositories that the stack takes, as its deployment fetches them; in words why not. */
async function joinRemotes(
  parts: PipelineParts,
  { repository, source }: StackCode,
  {
    entry,
    app,
    path,
  }: { readonly entry: ReadApp; readonly app: Awaited<ReturnType<typeof appOf>>; readonly path: string },
): Promise<{ readonly source: Source } | { readonly unread: string } | undefined> {
  const wanted = entry.files?.remotes ?? []
  if (wanted.length === 0) {
    return undefined
  }
  const of = { app: { id: app?.id ?? '', name: entry.name, entry: entry.name }, repository }
  try {
    const remotes = await Promise.all(wanted.map(each => remoteTell(parts, of, each)))
    const ask = askDirectly(parts, repository.host)
    const joined = await fetchSource(ask, repository, {
      sealer: parts.sealer,
      commit: source.commit,
      remotes,
    })
    // With the file itself the tree is config as code, if nothing else makes it so.
    const texts = conventionTexts([...joined.paths, path]).filter(each => each !== path)
    return { source: await withTexts(ask, joined, texts) }
  } catch (error) {
    // An app is there before its key can be set: its first deployment says which one it lacks.
    if (REMOTE_SECRET_MISSING.matches(error)) {
      return { unread: `not checked: ${error.message}` }
    }
    throw error
  }
}

/** Of an app that is not there yet: what it will share with others. */
async function sharedValues({ db, sealer }: PipelineParts, { id, host }: StackCode['repository']) {
  const shared = await sharedSecretsOf(db, { repository_id: id, host })
  return Object.fromEntries([...shared].map(([name, row]) => [name, openShared(sealer, row)]))
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
