import { claimedApps, stackApp } from '#deploy-file/convention-apps.ts'
import { conventionFile } from '#deploy-file/convention-files.ts'
import { readApps } from '#deploy-file/read-apps.ts'
import { TARGETS } from '#targets/index.ts'
import { STACK_NOT_OURS_TO_WRITE } from './errors.ts'
import type { StackCode } from './read-code.ts'

/** A file that is written (`after`) or taken away (null). */
export interface FileChange {
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

interface Stack {
  readonly name: string
  readonly engine: string | undefined
}

/**
 * All that has to change so that a stack, and nothing else, becomes another one: where its Compose file in the first
 * spelling would go on without its own file, that goes with it. STACK_NOT_OURS_TO_WRITE when other apps would come or go.
 */
export function foresee(code: StackCode, stack: Stack, change: FileChange): readonly FileChange[] {
  const app = stackApp(stack.name, stack.engine)
  const changes = [change, ...(change.after === null ? whatWouldStay(code, { app, change }) : [])]
  const before = appsOf(code, [])
  const after = appsOf(code, changes)
  const gone = before.find(name => name !== app && !after.includes(name))
  const come = after.find(name => name !== app && !before.includes(name))
  if (gone !== undefined) {
    const why = `the app "${gone}" would not be described any more.`
    throw STACK_NOT_OURS_TO_WRITE(change.path, why)
  }
  if (come !== undefined) {
    const why = `without it "${come}" would be an app by itself.`
    throw STACK_NOT_OURS_TO_WRITE(change.path, why)
  }
  return changes
}

/** Other files by which the app would still be wanted. */
function whatWouldStay(
  code: StackCode,
  { app, change }: { readonly app: string; readonly change: FileChange },
): readonly FileChange[] {
  const paths = code.source.paths.filter(path => path !== change.path)
  const claiming = paths.filter(path => claimedApps([path]).has(app))
  return claiming.map(path => {
    const before = code.source.texts[path]
    const isOwnCompose = conventionFile(path)?.kind === 'compose'
    const isUsed =
      !isOwnCompose ||
      code.definitions.some(({ kind, composes }) => kind === 'definition' && composes.includes(path))
    if (isUsed || before === undefined || claiming.length > 1) {
      const why = `${claiming.join(', ')} is about the app "${app}" too, and would keep it.`
      throw STACK_NOT_OURS_TO_WRITE(change.path, why)
    }
    return { path, before, after: null }
  })
}

/** Names of the apps that the repository would describe. */
function appsOf({ repository, source }: StackCode, changes: readonly FileChange[]): readonly string[] {
  const changed = new Map(changes.map(({ path, after }) => [path, after]))
  const paths = new Set([...source.paths, ...changed.keys()])
  const texts: Record<string, string> = { ...source.texts }
  for (const [path, after] of changed) {
    delete texts[path]
    if (after === null) {
      paths.delete(path)
    } else {
      texts[path] = after
    }
  }
  const read = readApps({ paths: [...paths], texts, repositoryName: repository.name, targets: TARGETS })
  return read.apps.map(({ name }) => name)
}
