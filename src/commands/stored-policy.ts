import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { canonicalJson } from '#lib/canonical-json.ts'
import { type Finding, findingText } from '#policy/finding.ts'
import { isShape, type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import { checkStoredModel } from '#policy/stored-model.ts'
import type { Hands, HostFacts } from './command.ts'
import { RELEASE_FORBIDDEN } from './compose-errors.ts'
import { mountedFiles, projectFolder } from './compose-folders.ts'
import { OWN_KEY, type Render } from './compose-model.ts'
import { problemsOf } from './compose-refuse.ts'
import { keptFrom } from './engine.ts'
import { fileCall } from './file-call.ts'
import { isStackModel } from './swarm-model.ts'

const LARGEST_NOTE = 4_096

/** Raise it when policy/ refuses what it let pass before: then what is kept is looked at anew before its next start. */
const RULES_VERSION = 1

/** A rendered configuration on the host, and where it is kept. */
export interface StoredRender {
  /** Of the Compose project, or the stack. */
  readonly name: string
  readonly shelf: string
  readonly hash: string
  readonly render: Render
}

/** By which rules a render was checked: while they are those of the host, it need not be checked again. */
interface RulesNote {
  /** sha256 */
  readonly rules: string
  readonly mode: string
  readonly at: string
}

export async function noteRules(hands: Hands, shelf: string, hash: string): Promise<void> {
  const { workspace, policy } = hands.host
  const at = new Date(hands.clock.now()).toISOString()
  const note: RulesNote = { rules: rulesHash(hands.host), mode: policy.mode, at }
  await hands.perform(
    fileCall({
      operation: 'write',
      path: rulesFile(workspace, shelf, hash),
      content: JSON.stringify(note),
    }),
  )
}

export async function forgetRules(hands: Hands, shelf: string, hash: string): Promise<void> {
  const path = rulesFile(hands.host.workspace, shelf, hash)
  await hands.perform(fileCall({ operation: 'remove', path }))
}

/**
 * What the host forbids today of what it rendered earlier; nothing when its rules are the same as then. A render of
 * before there were notes is checked.
 */
export async function forbiddenNow(hands: Hands, stored: StoredRender): Promise<readonly Finding[]> {
  const note = await readNote(hands, stored)
  return note?.rules === rulesHash(hands.host) ? [] : checkStored(hands, stored)
}

/** RELEASE_FORBIDDEN when the rules became stricter since. To be called before anything of it is started. */
export async function refuseForbiddenRender(hands: Hands, stored: StoredRender): Promise<void> {
  const findings = await forbiddenNow(hands, stored)
  const first = findings[0]
  if (first) {
    const note = await readNote(hands, stored)
    const made = note ? `on ${note.at} in the mode "${note.mode}"` : 'by other rules'
    throw RELEASE_FORBIDDEN(
      { host: hands.host.name, project: stored.name, made },
      findings.length,
      findingText(first),
    ).with({ problems: problemsOf(findings) })
  }
}

function checkStored({ host }: Hands, { name, shelf, render }: StoredRender): readonly Finding[] {
  const { [OWN_KEY]: own, ...model } = render
  const isStack = isStackModel(render)
  return checkStoredModel({
    model: isStack ? { ...model, ...outsideOf(model, render[OWN_KEY]) } : model,
    root: mountedFiles(host.workspace, shelf),
    rules: host.policy,
    project: {
      name,
      routes: own.routes,
      variables: [],
      sockets: keptFrom(host),
      ...(isStack ? { isStack } : {}),
    },
  })
}

/** Secrets and configs that a stack brings itself are not somebody else's, though the swarm is told so. */
function outsideOf(model: Shape, own: Readonly<Record<'secrets' | 'configs', object>>): Shape {
  const foreign = (kind: 'secrets' | 'configs') =>
    Object.fromEntries(Object.entries(shapeOf(model[kind])).filter(([key]) => !Object.hasOwn(own[kind], key)))
  return { secrets: foreign('secrets'), configs: foreign('configs') }
}

async function readNote(hands: Hands, { shelf, hash }: StoredRender): Promise<RulesNote | undefined> {
  const path = rulesFile(hands.host.workspace, shelf, hash)
  const { text } = await hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST_NOTE }))
  const note: unknown = text === undefined ? undefined : JSON.parse(text)
  return isShape(note)
    ? {
        rules: scalarText(note.rules) ?? '',
        mode: scalarText(note.mode) ?? '',
        at: scalarText(note.at) ?? '',
      }
    : undefined
}

function rulesHash(host: HostFacts): string {
  const { mode, ports, registries } = host.policy
  const rules = { version: RULES_VERSION, mode, ports, registries, sockets: keptFrom(host) }
  return createHash('sha256').update(canonicalJson(rules)).digest('hex')
}

function rulesFile(workspace: string, shelf: string, hash: string): string {
  return join(projectFolder(workspace, shelf), `rules-${hash}.json`)
}
