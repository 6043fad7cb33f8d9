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
import { readStackCodes, type StackCode, type StackCodes } from './read-code.ts'
import { versionOf } from './write-stack.ts'

/** What stacks can be made of, in every repository that can be read or in one. */
export async function listDefinitions(
  parts: ManagerParts,
  repository: string | undefined,
): Promise<StackDefinitionList> {
  const codes = await readStackCodes(parts, repository)
  const items = codes.read.flatMap(code => code.definitions.map(each => definitionDocument(code, each)))
  return { items, unread: unreadOf(codes) }
}

type Seen = Omit<StackDocument, 'config' | 'app'> & { readonly owner: string | null }

/** Stacks that run in a swarm, and stacks that a repository describes; one that is both stands there once. */
export async function listStacks(parts: ManagerParts, repository: string | undefined): Promise<StackList> {
  const [codes, { seen, unseen }] = await Promise.all([readStackCodes(parts, repository), observe(parts)])
  const declared = codes.read.flatMap(code => code.stacks.map(stack => ({ code, stack })))
  const used = new Set<Seen>()
  const described = declared.map(({ code, stack }) => {
    const name = stack.name.replaceAll('.', '_')
    const running = seen.find(
      each => each.stack === name && each.host === code.repository.host && !used.has(each),
    )
    if (running) {
      used.add(running)
    }
    return {
      stack: stack.name,
      host: code.repository.host,
      engine: stack.engine ?? running?.engine ?? null,
      app: running?.owner ?? null,
      services: running?.services ?? [],
      config: configOf(code, stack),
    }
  })
  const others = repository === undefined ? seen.filter(each => !used.has(each)) : []
  const items = [
    ...described,
    ...others.map(({ owner, ...each }) => ({ ...each, app: owner, config: null })),
  ].sort((a, b) => (a.stack < b.stack ? -1 : a.stack > b.stack ? 1 : 0))
  return { items, unread: unreadOf(codes), unseen }
}

/** An engine that manages no swarm has no stacks. */
async function observe(parts: ManagerParts) {
  const { answers, unseen } = await askHosts<{ readonly stacks: readonly Omit<Seen, 'host' | 'engine'>[] }>(
    parts,
    'swarm.list',
  )
  const seen = answers.flatMap(({ host, answer }) =>
    answer.stacks.map((each): Seen => ({ ...each, host, engine: null })),
  )
  return { seen, unseen }
}

function definitionDocument(
  { repository, stacks }: StackCode,
  { name, kind, file, composes, options, problems }: StackDefinition,
): StackDefinitionDocument {
  const made = stacks.filter(
    each => each.definition === name && (each.kind === 'instance') === (kind === 'definition'),
  )
  return {
    repository: repository.name,
    ...{ name, kind, file, composes: [...composes], options: { ...options } },
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

function unreadOf({ unread }: StackCodes): StackDefinitionList['unread'] {
  return unread.map(({ repository, error }) => ({ repository, error: toWire(error) })) as never
}
