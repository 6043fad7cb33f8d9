import type { Kysely, Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { SEALED_VALUE_DAMAGED } from '#manager/secrets/errors.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { HookTable } from '#manager/store/hook-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { HOOK_SECRET_UNUSABLE } from './errors.ts'

type SealedSecrets = Pick<
  Selectable<HookTable>,
  'id' | 'secret_sealed' | 'previous_sealed' | 'previous_until'
>

interface HookSecrets {
  /** Undefined when what is stored is of no use. */
  readonly current: string | undefined
  /** Undefined too when there is none, or its time is over. */
  readonly previous: string | undefined
  /** Why one of them is of no use. */
  readonly problem: FairleadError | undefined
}

/** The secrets of a hook. One that is empty or cannot be opened is none: nothing is signed with it. */
export function openHookSecrets(sealer: Sealer, hook: SealedSecrets, now: number): HookSecrets {
  const place = hookSecretPlace(hook.id)
  let problem: FairleadError | undefined
  const open = (sealed: string): string | undefined => {
    try {
      const secret = sealer.open(sealed, place)
      if (secret !== '') {
        return secret
      }
      problem ??= HOOK_SECRET_UNUSABLE('is empty')
    } catch (error) {
      if (!SEALED_VALUE_DAMAGED.matches(error)) {
        throw error
      }
      problem ??= HOOK_SECRET_UNUSABLE('was changed from outside and cannot be read')
    }
    return undefined
  }
  const current = open(hook.secret_sealed)
  const { previous_sealed: before, previous_until: until } = hook
  const previous = before !== null && (until ?? 0) > now ? open(before) : undefined
  return { current, previous, problem }
}

/** Where a hook's secrets (the current and the previous one) are sealed for. */
export function hookSecretPlace(hookId: string): string {
  return `hooks/${hookId}/secret`
}

const COUNTED_FOR_MS = 60_000

/** Counts hooks with a secret that is of no use. Whoever asks for the health of the manager may ask often. */
export function createUnusableCount({
  db,
  clock,
  sealer,
}: {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}): () => Promise<number> {
  let counted: { readonly at: number; readonly count: Promise<number> } | undefined

  return async () => {
    const at = clock.monotonic()
    if (!counted || at - counted.at >= COUNTED_FOR_MS) {
      counted = { at, count: count() }
    }
    return await counted.count
  }

  async function count(): Promise<number> {
    const hooks = await db
      .selectFrom('hooks')
      .select(['id', 'secret_sealed', 'previous_sealed', 'previous_until'])
      .execute()
    const now = clock.now()
    return hooks.filter(hook => openHookSecrets(sealer, hook, now).problem !== undefined).length
  }
}
