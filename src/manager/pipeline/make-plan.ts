import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { commandNamed } from '#commands/index.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { Plan, PlanInput, Tell } from '#targets/target.ts'
import type { AppEntry } from './app-entry.ts'
import { NO_ARTIFACT_HERE } from './errors.ts'
import { withOpenings } from './plan-openings.ts'
import { refuseByRules } from './refuse-plan.ts'
import type { Ask } from './source.ts'

export interface MadePlan {
  readonly plan: Plan
  /** The plan as it may be stored and shown: secrets replaced. */
  readonly shown: Plan
  /** sha256 of the canonical text of `shown`, the same for whichever deployment would carry it out. */
  readonly hash: string
  /** sha256 of what the release consists of. */
  readonly configHash: string
  /** What the worker answered: the evidence when there is nothing to do. */
  readonly found: Readonly<Record<string, unknown>>
}

/** Asks the worker what the target wants to know, until it asks nothing new, and lets the target decide. */
export async function makePlan(
  ask: Ask,
  entry: Pick<AppEntry, 'target' | 'settings' | 'source'>,
  input: Omit<PlanInput<unknown>, 'settings' | 'source' | 'found'>,
  move?: Move,
): Promise<MadePlan> {
  if (input.wanted && !entry.target.artifact) {
    throw NO_ARTIFACT_HERE(input.app.name, entry.target.name)
  }
  const found: Record<string, unknown> = {}
  const whole = { ...input, settings: entry.settings, source: entry.source, found }
  for (;;) {
    const news = entry.target.look(whole).filter(tell => !(tell.key in found))
    if (news.length === 0) {
      break
    }
    const answers = await Promise.all(news.map(async tell => [tell.key, await ask(tell)] as const))
    for (const [key, answer] of answers) {
      found[key] = answer
    }
  }
  const opens = entry.target.opens?.(entry.settings as never) ?? []
  const plan = withOpenings(withMove(entry.target.plan(whole), move), opens, input.previous)
  await refuseByRules(ask, plan, whole)
  const shown = withoutSecrets(plan)
  return {
    plan,
    shown,
    hash: hashOf(shown, text => text.replaceAll(input.deployment, 'this deployment')),
    configHash: hashOf(shown.release),
    found,
  }
}

/** From one engine of the host to another. */
export interface Move {
  readonly from: string
  readonly to: string
}

/** Undefined: the app stays where it is, or nothing of it ran yet. */
export function moveOf(
  app: { readonly engine: string | null },
  engine: string | undefined,
  { previous }: Pick<PlanInput<unknown>, 'previous'>,
): Move | undefined {
  const [from, to] = [app.engine ?? LOCAL_ENGINE, engine ?? LOCAL_ENGINE]
  return previous && from !== to ? { from, to } : undefined
}

/** Part of the plan, so that who approves it agrees to that as well. */
function withMove(plan: Plan, move: Move | undefined): Plan {
  return move
    ? {
        ...plan,
        changes: [
          {
            kind: 'replace',
            what: 'engine',
            ...move,
            why: 'what runs on the old one goes when the new one serves',
          },
          ...plan.changes,
        ],
      }
    : plan
}

function withoutSecrets(plan: Plan): Plan {
  const clean = (tells: readonly Tell[]) =>
    tells.map(tell => ({ ...tell, data: masked(commandNamed(tell.command).data, tell.data) as Tell['data'] }))
  return {
    ...plan,
    build: clean(plan.build),
    push: clean(plan.push),
    ...(plan.named ? { named: clean(plan.named) } : {}),
    ...(plan.attest ? { attest: clean(plan.attest) } : {}),
    apply: clean(plan.apply),
    verify: clean(plan.verify),
    route: clean(plan.route),
    watch: clean(plan.watch),
    prune: clean(plan.prune),
    undo: clean(plan.undo),
  }
}

/** Replaces what the schema marks `secret: true`. */
function masked(schema: TSchema | undefined, value: unknown): unknown {
  const shape = schema as
    | {
        secret?: boolean
        properties?: Record<string, TSchema>
        items?: TSchema
        additionalProperties?: TSchema
        patternProperties?: Record<string, TSchema>
        anyOf?: TSchema[]
      }
    | undefined
  if (typeof value === 'string') {
    return shape?.secret || shape?.anyOf?.some(option => (option as { secret?: boolean }).secret)
      ? '[secret]'
      : value
  }
  if (Array.isArray(value)) {
    return value.map(item => masked(shape?.items, item))
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  const options = [shape, ...(shape?.anyOf ?? [])] as (typeof shape)[]
  const schemaOf = (key: string) =>
    options
      .map(
        option =>
          option?.properties?.[key] ??
          Object.values(option?.patternProperties ?? {})[0] ??
          (typeof option?.additionalProperties === 'object' ? option.additionalProperties : undefined),
      )
      .find(found => found !== undefined)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(schemaOf(key), item)]))
}

function hashOf(value: unknown, rewrite: (text: string) => string = text => text): string {
  return createHash('sha256')
    .update(rewrite(canonicalJson(value)))
    .digest('hex')
}
