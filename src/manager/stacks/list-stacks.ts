import { LOCAL_ENGINE } from '#commands/engine.ts'
import type {
  StackDefinitionDocument,
  StackDefinitionList,
  StackDocument,
  StackList,
} from '#contract/rest/stacks.ts'
import type { DeclaredStack, StackDefinition } from '#deploy-file/stack-definitions.ts'
import { toWire } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { askHosts } from './ask-hosts.ts'
import { engineOf, pairStacks, type SeenStack } from './pair-stacks.ts'
import { type CodeQuery, readStackCodes, type StackCode, type StackCodes } from './read-code.ts'
import { versionOf } from './write-stack.ts'

/** What stacks can be made of, in every repository that can be read or in one. */
export async function listDefinitions(parts: ManagerParts, query: CodeQuery): Promise<StackDefinitionList> {
  const codes = await readStackCodes(parts, query)
  const items = codes.read.flatMap(code => code.definitions.map(each => definitionDocument(code, each)))
  return { items, ...lacksOf(codes) }
}

/** Stacks that run in a swarm, and stacks that a repository describes; one that is both stands there once. */
export async function listStacks(parts: ManagerParts, query: CodeQuery): Promise<StackList> {
  const [codes, { seen, ...rest }] = await Promise.all([readStackCodes(parts, query), observe(parts)])
  const { paired, others } = await pairStacks(parts, codes.read, seen)
  const described = paired.map(({ code, declared, app, running }) => ({
    stack: declared.name,
    host: code.repository.host,
    engine: running ? running.engine : named(engineOf(declared)),
    app: app ?? running?.owner ?? null,
    services: running?.services ?? [],
    config: configOf(code, declared),
  }))
  const foreign = query.repository === undefined ? others : []
  const items = [
    ...described,
    ...foreign.map(({ owner, ...each }) => ({ ...each, app: owner, config: null })),
  ].sort((a, b) => compare(a.stack, b.stack) || compare(a.engine ?? '', b.engine ?? ''))
  return { items, ...lacksOf(codes), ...rest }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** null: the host's own. */
function named(engine: string): string | null {
  return engine === LOCAL_ENGINE ? null : engine
}

interface Told {
  readonly stacks: readonly Omit<SeenStack, 'host' | 'engine'>[]
  readonly truncated: boolean
}

/** An engine that manages no swarm has no stacks. */
async function observe(parts: ManagerParts) {
  const { answers, unseen } = await askHosts<Told>(parts, 'swarm.list')
  const seen = answers.flatMap(({ host, engine, answer }) =>
    answer.stacks.map((each): SeenStack => ({ ...each, host, engine })),
  )
  return { seen, unseen, truncated: answers.some(({ answer }) => answer.truncated) }
}

function definitionDocument(
  { repository, stacks }: StackCode,
  { name, kind, file, composes, remote, options, problems }: StackDefinition,
): StackDefinitionDocument {
  const made = stacks.filter(
    each => each.definition === name && (each.kind === 'instance') === (kind === 'definition'),
  )
  return {
    repository: repository.name,
    ...{ name, kind, file, composes: [...composes], options: { ...options } },
    ...(remote === undefined ? {} : { repo: remote }),
    stacks: made.map(each => each.name),
    ...(problems.length > 0 ? { problems: [...problems] } : {}),
  }
}

function configOf({ repository }: StackCode, declared: DeclaredStack): NonNullable<StackDocument['config']> {
  const { file, definition, enabled, options, text, problems } = declared
  return {
    repository: repository.name,
    file,
    stackDefinition: definition,
    enabled,
    options: { ...options },
    version: versionOf(text),
    ...(problems.length > 0 ? { problems: [...problems] } : {}),
  }
}

/** What an answer does not have, and why. */
export function lacksOf({
  unread,
  truncated,
  unasked,
}: StackCodes): Pick<StackDefinitionList, 'unread' | 'incomplete' | 'unasked'> {
  const told = unread.map(({ repository, error }) => ({ repository, error: toWire(error) }))
  return { unread: told as never, incomplete: [...truncated], unasked }
}
