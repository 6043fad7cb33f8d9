import { asFairleadError } from '#lib/errors.ts'
import { probeContainer } from '#programs/probe.ts'
import type { Hands } from './command.ts'
import { CONTAINER_TOKEN_REFUSED, CONTAINER_UNHEALTHY } from './container-errors.ts'
import { readToken, type TokenOwner } from './container-token.ts'
import type { Reach } from './engine-reach.ts'

const ATTEMPT_MS = 5_000
const PAUSE_MS = 250

export interface TokenProof {
  readonly owner: TokenOwner
  readonly at: Reach
  /** That it answers to anybody. What lies below is for who has the token. */
  readonly alive: string
  readonly withinMs: number
}

/**
 * A server that is ready answers whoever asks whether it is; only this tells whether it has the token that the proxy will
 * send for those who are let in. Another one, from its image or its files, would turn everybody away.
 */
export async function proveToken(hands: Hands, { owner, at, alive, withinMs }: TokenProof): Promise<void> {
  const path = `${alive}/status`
  const token = await readToken(hands, owner)
  const started = hands.clock.monotonic()
  for (;;) {
    hands.signal.throwIfAborted()
    const { status, missing } = await hands
      .perform(probeContainer({ ...at, path, token, timeoutMs: ATTEMPT_MS }))
      .then(
        answer => ({ ...answer, missing: `GET ${path} answers with status ${answer.status}` }),
        (error: unknown) => ({ status: undefined, missing: asFairleadError(error).message }),
      )
    if (status !== undefined && status < 500) {
      // One that does not know the path has no more to say than that it answers.
      if (status === 200 || status === 404) {
        return
      }
      throw CONTAINER_TOKEN_REFUSED(owner.app, path, status)
    }
    if (hands.clock.monotonic() - started >= withinMs) {
      throw CONTAINER_UNHEALTHY(owner.app, Math.round(withinMs / 1000), missing)
    }
    await hands.clock.sleep(PAUSE_MS, hands.signal)
  }
}
