import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { checkOptions, type OptionValue } from '#deploy-file/check-options.ts'
import { stackApp } from '#deploy-file/convention-apps.ts'
import type { DeclaredStack, StackDefinition } from '#deploy-file/stack-definitions.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { remoteOf } from '#manager/pipeline/source.ts'
import { forgetCode } from './code-cache.ts'
import { STACK_CONFLICT, STACK_NOT_OURS_TO_WRITE, STACK_OPTIONS_WRONG } from './errors.ts'
import { definitionNamed, findDefinition, findStack, withProblems } from './find-stack.ts'
import { type FileChange, foresee } from './foresee.ts'
import { refuseTakenName, waitingRemoval } from './own-app.ts'
import { engineOf } from './pair-stacks.ts'
import type { StackCode } from './read-code.ts'
import { type Rendered, renderStack } from './render-stack.ts'

export interface WrittenStack {
  readonly stack: string
  readonly repository: string
  readonly file: string
  readonly outcome: 'pushed' | 'unchanged'
  readonly commit: string
  readonly version: string | null
  readonly rendered: Rendered | undefined
  /** What a person should know. */
  readonly warnings: readonly string[]
}

type Options = Readonly<Record<string, OptionValue>>

interface Wish {
  readonly by: string
  readonly repository?: string | undefined
  readonly engine?: string | undefined
}

/** Writes a stack into the repository of its definition, once that renders with these options. The push deploys it. */
export async function createStack(
  parts: ManagerParts,
  wish: Wish & {
    readonly definition: string
    readonly stack: string
    readonly options: Options
    readonly enabled: boolean
  },
): Promise<WrittenStack> {
  const { code, definition } = await findDefinition(parts, wish.definition, wish.repository)
  const { stack } = wish
  const engine = engineOf(wish) === LOCAL_ENGINE ? undefined : wish.engine
  const path = fileFor(definition, { stack, engine })
  const text = textOf(wish.enabled, parametersFor(definition, wish.options))
  const there = code.stacks.find(each => each.name === stack && engineOf(each) === engineOf(wish))
  if (there && there.text !== text) {
    throw conflict(there.file, { yours: text, theirs: there.text })
  }
  const change = { path: there?.file ?? path, before: there?.text ?? null, after: text }
  return await write(parts, { code, stack: { name: stack, engine }, change, by: wish.by })
}

/** Gives a stack its complete options anew. */
export async function updateStack(
  parts: ManagerParts,
  wish: Wish & {
    readonly stack: string
    readonly definition: string | undefined
    readonly options: Options
    readonly enabled: boolean
    /** Of the file as the person has seen it; undefined: whatever it is. */
    readonly version: string | undefined
  },
): Promise<WrittenStack> {
  const { code, declared } = await findStack(parts, wish)
  if (wish.definition !== undefined && wish.definition !== declared.definition) {
    const why = `it is made of "${declared.definition}", and another definition makes another stack.`
    throw STACK_NOT_OURS_TO_WRITE(declared.file, why)
  }
  if (declared.kind === 'compose' || declared.kind === 'stack') {
    throw STACK_NOT_OURS_TO_WRITE(declared.file, 'it is a stack in the first spelling.')
  }
  const definition = definitionNamed([code], declared.definition, declared.kind)
  const text = textOf(wish.enabled, parametersFor(definition, wish.options))
  refuseUnseen(declared, { version: wish.version, yours: text })
  const change = { path: declared.file, before: declared.text, after: text }
  return await write(parts, { code, stack: declared, change, by: wish.by })
}

/** Removes the file of a stack; the push removes what runs. */
export async function deleteStack(
  parts: ManagerParts,
  wish: Wish & { readonly stack: string; readonly version: string | undefined },
): Promise<WrittenStack> {
  const { code, declared } = await findStack(parts, wish)
  refuseUnseen(declared, { version: wish.version, yours: null })
  const change = { path: declared.file, before: declared.text, after: null }
  return await write(parts, { code, stack: declared, change, by: wish.by })
}

/** Names what a file says, for If-Match. */
export function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

interface Write {
  readonly code: StackCode
  readonly stack: Pick<DeclaredStack, 'name' | 'engine'>
  readonly change: FileChange
  /** Name of the token. */
  readonly by: string
}

interface Committed {
  readonly outcome: 'pushed' | 'unchanged' | 'conflict'
  readonly commit: string
  readonly text: string | null
  /** Which file is in the way, when it is another one. */
  readonly path?: string
}

async function write(parts: ManagerParts, { code, stack, change, by }: Write): Promise<WrittenStack> {
  const { repository } = code
  const { path, before, after } = change
  const app = stackApp(stack.name, stack.engine)
  const [, ...others] = foresee(code, stack, change)
  if (after !== null) {
    await refuseTakenName(parts, repository, app)
  }
  const rendered = after === null ? undefined : await renderStack(parts, code, { path, text: after })
  const verb = before === null ? 'Add' : after === null ? 'Remove' : 'Change'
  const written = (await askDirectly(
    parts,
    repository.host,
  )({
    key: 'commit',
    command: 'repository.commit',
    data: {
      ...remoteOf(repository, parts.sealer),
      ...{ path, before, after },
      ...(others.length > 0
        ? { also: others.map(each => ({ path: each.path, before: each.before ?? '' })) }
        : {}),
      subject: `${verb} the stack ${stack.name}`,
      author: authorNamed(by),
    },
  })) as unknown as Committed
  if (written.outcome === 'conflict') {
    const isOther = written.path !== undefined
    throw conflict(written.path ?? path, { yours: isOther ? null : after, theirs: written.text })
  }
  forgetCode(parts, repository.id)
  parts.poller.look(repository.id)
  return {
    stack: stack.name,
    repository: repository.name,
    file: path,
    outcome: written.outcome,
    commit: written.commit,
    version: after === null ? null : versionOf(after),
    rendered,
    warnings: [
      ...(rendered?.warnings ?? []),
      ...(await waitingRemoval(parts, { repository, app, rendered })),
    ],
  }
}

/** People have no addresses here yet: the name of the token says who it was. */
function authorNamed(by: string): { name: string; email: string } {
  const name =
    by
      .replace(/[\p{C}<>]/gu, '')
      .trim()
      .slice(0, 200) || 'somebody'
  const local = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '.')
    .replace(/^\.+|\.+$/g, '')
  return { name, email: `${local || 'somebody'}@fairlead.invalid` }
}

/** Beside the definition: a file is found by its name, wherever in the tree. */
function fileFor(
  definition: StackDefinition,
  { stack, engine }: { readonly stack: string; readonly engine?: string | undefined },
): string {
  const kind = definition.kind === 'definition' ? 'stack-instance' : 'simple-stack-instance'
  const suffix = engine === undefined ? '' : `.${engine}`
  return posix.join(posix.dirname(definition.file), `${kind}.${definition.name}.${stack}${suffix}.json`)
}

/** What is given; defaults stay in the definition, so that changing them there changes what runs. */
function parametersFor(definition: StackDefinition, options: Options): Options {
  const { problems } = checkOptions(definition.options, options)
  if (problems.length > 0) {
    throw withProblems(STACK_OPTIONS_WRONG, definition.name, problems)
  }
  return options
}

function textOf(enabled: boolean, options: Options): string {
  const sorted = JSON.parse(canonicalJson(options)) as Options
  const parameters = Object.entries(sorted).map(([name, value]) => ({ name, value: String(value) }))
  return `${JSON.stringify({ enabled, parameters }, null, 2)}\n`
}

function refuseUnseen(
  { file, text }: DeclaredStack,
  { version, yours }: { readonly version: string | undefined; readonly yours: string | null },
): void {
  if (version !== undefined && version !== versionOf(text)) {
    throw conflict(file, { yours, theirs: text })
  }
}

function conflict(
  file: string,
  { yours, theirs }: { readonly yours: string | null; readonly theirs: string | null },
): Error {
  const version = theirs === null ? null : versionOf(theirs)
  return STACK_CONFLICT(file).with({ facts: { yours, theirs, version } })
}
