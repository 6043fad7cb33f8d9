import { join } from 'node:path'
import { canonicalJson } from '#lib/canonical-json.ts'
import { placeFindings } from '#policy/compose-text.ts'
import { type Shape, shapeOf } from '#policy/shape.ts'
import { type ComposeProblem, composeConfig } from '#programs/compose.ts'
import type { Hands } from './command.ts'
import { COMPOSE_FILE_MISSING, COMPOSE_INVALID } from './compose-errors.ts'
import { hashOf } from './compose-model.ts'
import { type CheckedSources, type ProjectFiles, projectFolderOf } from './compose-source.ts'
import { keepConfig, readConfig } from './compose-store.ts'

/** Raise it when what is asked of Compose changes. */
const VERSION = 1

export interface Configuring {
  readonly project: string
  /** Where the answer is kept; default: with the project. */
  readonly shelf?: string
  readonly wanted: ProjectFiles
  readonly sources: CheckedSources
  readonly variables: Readonly<Record<string, string>>
  /** Nothing of it is kept: values of secrets may be in it. */
  readonly isPreview?: boolean | undefined
}

export interface Configured {
  readonly model: Shape
  readonly warnings: readonly string[]
}

/**
 * The files merged, interpolated and in long forms by Compose itself. Most commits do not change what goes in, so the
 * answer is kept by its input: a start of Compose takes longer than everything else that decides about a deployment.
 */
export async function configure(hands: Hands, configuring: Configuring): Promise<Configured> {
  const { project, shelf = project, wanted, sources, variables } = configuring
  const texts = [...sources.texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, text]) => [path, text ?? null])
  const key = hashOf(canonicalJson([VERSION, project, wanted.files, texts, variables]))
  // No file can hold the hash of what it is part of, so nobody can have written this into one.
  const mark = `@checkout-${key}@`
  const kept = await readConfig(hands, shelf, key)
  if (kept !== undefined) {
    return JSON.parse(kept.replaceAll(mark, wanted.checkout))
  }
  const configured = await askCompose(hands, configuring)
  if (configuring.isPreview) {
    return configured
  }
  await keepConfig(hands, shelf, {
    key,
    text: JSON.stringify(configured).replaceAll(wanted.checkout, mark),
  })
  return configured
}

async function askCompose(hands: Hands, configuring: Configuring): Promise<Configured> {
  const { project, wanted, variables } = configuring
  const call = composeConfig(
    {
      name: project,
      files: wanted.files.map(file => join(wanted.checkout, file)),
      folder: join(wanted.checkout, projectFolderOf(wanted.files)),
      socket: hands.host.dockerSocket,
      home: hands.host.dockerHome,
    },
    variables,
  )
  const answer = await hands.perform(call)
  if (answer.kind === 'problem') {
    throw explain(answer.problem, configuring)
  }
  return { model: shapeOf(answer.model), warnings: answer.warnings }
}

/** What Compose does not take, with the line that its words lead to. */
function explain(problem: ComposeProblem, { wanted, sources }: Configuring): Error {
  const withoutCheckout = (text: string) => text.replaceAll(`${wanted.checkout}/`, '')
  if (problem.missingFile !== undefined) {
    return COMPOSE_FILE_MISSING(withoutCheckout(problem.missingFile), wanted.commit)
  }
  const message = withoutCheckout(problem.message)
  const path = problem.path?.split('.') ?? []
  const [placed] = placeFindings([{ rule: '', severity: 'error', path, message, fix: '' }], sources.files)
  const file = placed?.file ?? wanted.files[0] ?? ''
  const line = placed?.line ?? problem.line
  return COMPOSE_INVALID(line === undefined ? file : `${file}:${line}`, message).with({
    problems: [{ path: problem.path ?? '', message, file, ...(line === undefined ? {} : { line }) }],
  })
}
