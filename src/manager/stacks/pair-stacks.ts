import { LOCAL_ENGINE } from '#commands/engine.ts'
import type { StackDocument } from '#contract/rest/stacks.ts'
import { readConvention } from '#deploy-file/convention-apps.ts'
import type { DeclaredStack } from '#deploy-file/stack-definitions.ts'
import { engineOfSuffix, swarmName } from '#deploy-file/stack-place.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { TARGETS } from '#targets/index.ts'
import type { StackCode } from './read-code.ts'

/** A stack as one engine tells of it. */
export type SeenStack = Omit<StackDocument, 'config' | 'app' | 'host'> & {
  readonly host: string
  readonly owner: string | null
}

export interface PairedStack {
  readonly code: StackCode
  readonly declared: DeclaredStack
  /** The app that deploys it, if there is one already. */
  readonly app: string | null
  readonly running: SeenStack | undefined
}

/** What the repositories say, each with what runs of it; and what else runs. */
export async function pairStacks(
  { db }: Pick<ManagerParts, 'db'>,
  codes: readonly StackCode[],
  seen: readonly SeenStack[],
): Promise<{ readonly paired: readonly PairedStack[]; readonly others: readonly SeenStack[] }> {
  const apps = await db.selectFrom('apps').select(['name', 'entry', 'repository_id']).execute()
  const free = new Set(seen)
  const paired = codes.flatMap(code => {
    const entries = entriesOf(code)
    const own = apps.filter(each => each.repository_id === code.repository.id)
    return code.stacks.map(declared => {
      const app = own.find(each => each.entry === entries.get(declared.file))?.name ?? null
      const strangers = new Set(apps.filter(each => !own.includes(each)).map(each => each.name))
      const fitting = [...free].filter(
        each =>
          each.host === code.repository.host &&
          each.stack === swarmName(declared.name) &&
          !strangers.has(each.owner ?? ''),
      )
      // An app may have been given another engine than its file says.
      const running =
        fitting.find(each => app !== null && each.owner === app) ??
        fitting.find(each => (each.engine ?? LOCAL_ENGINE) === engineOf(declared))
      if (running) {
        free.delete(running)
      }
      return { code, declared, app, running }
    })
  })
  return { paired, others: withoutDoubles([...free], paired) }
}

/** The engine that its file says. */
export function engineOf({ engine }: { readonly engine?: string | undefined }): string {
  return engine === undefined ? LOCAL_ENGINE : engineOfSuffix(engine)
}

/** File -> what it is called as an entry of its repository. */
function entriesOf({ source }: StackCode): ReadonlyMap<string, string> {
  const read = readConvention(source.paths, source.texts, TARGETS)
  return new Map(
    (read?.apps ?? []).flatMap(({ name, files }) =>
      files?.kind === 'stack' ? [[files.paths[0] ?? '', name] as const] : [],
    ),
  )
}

/** Two engines that manage one swarm tell of the same services. */
function withoutDoubles(others: readonly SeenStack[], paired: readonly PairedStack[]): SeenStack[] {
  const keysOf = ({ stack, services }: SeenStack) => services.map(({ id }) => `${stack} ${id}`)
  const known = new Set(paired.flatMap(({ running }) => (running ? keysOf(running) : [])))
  return others.filter(each => {
    const keys = keysOf(each)
    const isDouble = keys.some(key => known.has(key))
    for (const key of keys) {
      known.add(key)
    }
    return !isDouble
  })
}
