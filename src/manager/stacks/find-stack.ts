import { conventionFiles } from '#deploy-file/convention-files.ts'
import { type DeclaredStack, remoteCompose, type StackDefinition } from '#deploy-file/stack-definitions.ts'
import { engineOfSuffix } from '#deploy-file/stack-place.ts'
import type { ErrorKind, Problem } from '#lib/errors.ts'
import { nearest } from '#lib/nearest.ts'
import type { ManagerParts } from '#manager/parts.ts'
import {
  REMOTE_REPO_UNKNOWN,
  STACK_AMBIGUOUS,
  STACK_DEFINITION_BROKEN,
  STACK_DEFINITION_UNKNOWN,
  STACK_UNKNOWN,
} from './errors.ts'
import { engineOf } from './pair-stacks.ts'
import { readStackCodes, type StackCode } from './read-code.ts'

export interface StackPlace {
  readonly stack: string
  readonly repository?: string | undefined
  readonly engine?: string | undefined
}

/** The definition of that name, with its repository. */
export async function findDefinition(
  parts: ManagerParts,
  name: string,
  repository: string | undefined,
): Promise<{ readonly code: StackCode; readonly definition: StackDefinition }> {
  const { read } = await readStackCodes(parts, { repository, fresh: true })
  const having = read.filter(code => code.definitions.some(each => each.name === name))
  const [code] = having
  if (having.length > 1) {
    throw STACK_AMBIGUOUS(
      `The stack definition "${name}"`,
      having.map(each => each.repository.name),
    )
  }
  const definition = definitionNamed(read, name)
  if (!code) {
    throw STACK_DEFINITION_UNKNOWN(name, undefined)
  }
  return { code, definition }
}

/** A Compose file of another repository, which a file `repo.<repo>.json` names. */
export async function findRemoteCompose(
  parts: ManagerParts,
  { name, repo, repository }: { name: string; repo: string; repository: string | undefined },
): Promise<{ readonly code: StackCode; readonly definition: StackDefinition }> {
  const { read } = await readStackCodes(parts, { repository, fresh: true })
  const having = read.flatMap(code => {
    const files = conventionFiles(code.source.paths).filter(
      each => each.kind === 'repo' && each.name === repo,
    )
    return files.map(({ path }) => ({ code, file: path }))
  })
  const [only, ...others] = having
  if (!only) {
    throw REMOTE_REPO_UNKNOWN(repo)
  }
  if (others.length > 0) {
    const places = having.map(({ code, file }) => `${file} of ${code.repository.name}`)
    throw STACK_AMBIGUOUS(`The repository "${repo}"`, places)
  }
  return { code: only.code, definition: remoteCompose(name, { file: only.file, repo }) }
}

/** What a stack is made of. */
export function definitionOf(
  code: StackCode,
  { definition, kind, file, repo }: DeclaredStack,
): StackDefinition {
  return repo === undefined
    ? definitionNamed([code], definition, kind)
    : remoteCompose(definition, { file, repo })
}

/** One that lists Compose files goes before a Compose file of the same name. */
function definitionNamed(
  codes: readonly StackCode[],
  name: string,
  kind?: DeclaredStack['kind'],
): StackDefinition {
  const all = codes.flatMap(code => code.definitions)
  const wanted = all
    .filter(each => each.name === name)
    .filter(each => kind === undefined || (kind === 'instance') === (each.kind === 'definition'))
    .sort((a, b) => (a.kind === b.kind ? 0 : a.kind === 'definition' ? -1 : 1))[0]
  if (!wanted) {
    throw STACK_DEFINITION_UNKNOWN(
      name,
      nearest(
        name,
        all.map(each => each.name),
      ),
    )
  }
  const [first] = wanted.problems
  if (first) {
    throw withProblems(STACK_DEFINITION_BROKEN, name, wanted.problems)
  }
  return wanted
}

/** The stack that a file says, with its repository. */
export async function findStack(
  parts: ManagerParts,
  { stack, repository, engine }: StackPlace,
): Promise<{ readonly code: StackCode; readonly declared: DeclaredStack }> {
  const { read } = await readStackCodes(parts, { repository, fresh: true })
  const found = read.flatMap(code =>
    code.stacks
      .filter(
        each => each.name === stack && (engine === undefined || engineOf(each) === engineOfSuffix(engine)),
      )
      .map(declared => ({ code, declared })),
  )
  const [only, ...others] = found
  if (!only) {
    throw STACK_UNKNOWN(stack)
  }
  if (others.length > 0) {
    const places = found.map(({ code, declared }) => `${declared.file} of ${code.repository.name}`)
    throw STACK_AMBIGUOUS(`The stack "${stack}"`, places)
  }
  return only
}

/** The error with its first problem in words, and all of them. */
export function withProblems(
  kind: ErrorKind<[string, string]>,
  name: string,
  problems: readonly Problem[],
): Error {
  const [first] = problems
  const where = [first?.file, first?.line && `line ${first.line}`, first?.path].filter(Boolean).join(', ')
  return kind(name, `${where} ${first?.message ?? ''}`).with({ problems })
}
