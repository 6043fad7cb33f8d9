import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { stackApp } from '#deploy-file/convention-apps.ts'
import type { DeclaredStack } from '#deploy-file/stack-definitions.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { remoteOf } from '#manager/pipeline/source.ts'
import { forgetCode } from './code-cache.ts'
import { STACK_CONFLICT, STACK_NOT_OURS_TO_WRITE } from './errors.ts'
import { definitionOf, findDefinition, findRemoteCompose, findStack } from './find-stack.ts'
import { type FileChange, foresee } from './foresee.ts'
import { refuseTakenName, waitingRemoval } from './own-app.ts'
import { engineOf } from './pair-stacks.ts'
import type { StackCode } from './read-code.ts'
import { type Rendered, renderStack } from './render-stack.ts'
import { fileFor, isMadeOf, type Options, parametersFor, textOf } from './stack-text.ts'

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
    /** Name of the other repository that has the Compose file. */
    readonly repo?: string | undefined
    readonly options: Options
    readonly enabled: boolean
  },
): Promise<WrittenStack> {
  const { stack, repo, repository } = wish
  const { code, definition } =
    repo === undefined
      ? await findDefinition(parts, wish.definition, repository)
      : await findRemoteCompose(parts, { name: wish.definition, repo, repository })
  const engine = engineOf(wish) === LOCAL_ENGINE ? undefined : wish.engine
  const path = fileFor(definition, { stack, engine, isRemote: repo !== undefined })
  const text = textOf({ enabled: wish.enabled, options: parametersFor(definition, wish.options), repo })
  const there = code.stacks.find(each => each.name === stack && engineOf(each) === engineOf(wish))
  if (there && (there.text !== text || !isMadeOf(there, definition))) {
    const why = `is the stack "${stack}" already, of "${there.definition}".`
    const { facts } = conflictFacts({ yours: text, theirs: there.text })
    throw STACK_CONFLICT(there.file, why).with({
      facts: { ...facts, yours_file: path, theirs_file: there.file },
    })
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
  const definition = definitionOf(code, declared)
  const options = parametersFor(definition, wish.options)
  const text = textOf({ enabled: wish.enabled, options, repo: declared.repo })
  refuseUnseen(declared, { version: wish.version, yours: text })
  // A Compose file that is a stack by itself gets its options in a file beside it.
  const change =
    declared.kind === 'compose'
      ? {
          path: posix.join(posix.dirname(declared.file), `stack-${declared.name}.json`),
          before: null,
          after: text,
        }
      : { path: declared.file, before: declared.text, after: text }
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
  const rendered =
    after === null ? undefined : await renderStack(parts, code, { entry: app, path, text: after })
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

/** The name of the person or token says who it was; addresses of people do not go into repositories. */
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

function refuseUnseen(
  { file, text }: DeclaredStack,
  { version, yours }: { readonly version: string | undefined; readonly yours: string | null },
): void {
  if (version !== undefined && version !== versionOf(text)) {
    throw conflict(file, { yours, theirs: text })
  }
}

interface Versions {
  readonly yours: string | null
  readonly theirs: string | null
}

function conflict(file: string, versions: Versions): Error {
  return STACK_CONFLICT(file, 'is not as you have seen it: somebody else changed it.').with(
    conflictFacts(versions),
  )
}

function conflictFacts({ yours, theirs }: Versions) {
  return { facts: { yours, theirs, version: theirs === null ? null : versionOf(theirs) } }
}
