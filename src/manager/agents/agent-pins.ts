import { type CertifiedCertificate, type Pin, withCertificate } from '#link/public-identity.ts'
import { type Successor, successorOf } from '#link/succession.ts'
import type { ConnectionOptions } from './connection-options.ts'

/** What is kept together with a pin. */
export interface PinChange {
  /** The key that is to come; undefined: none is. */
  readonly successor: Pin | undefined
  /** Key that is not the agent's any more, and never will be. */
  readonly replaced?: string
}

/**
 * Whom an agent has to prove to be: only `current` -> (it told of its next key) `current` or `successor`
 * -> (it has proven to be its successor) only that one.
 */
export class AgentPins {
  readonly #save: NonNullable<ConnectionOptions['savePin']>
  #current: Pin
  #successor: Pin | undefined

  constructor({ pin, successor, savePin }: Pick<ConnectionOptions, 'pin' | 'successor' | 'savePin'>) {
    this.#current = pin
    this.#successor = successor
    this.#save = savePin ?? (() => undefined)
  }

  get current(): Pin {
    return this.#current
  }

  /** The one that is to come first. */
  get all(): readonly Pin[] {
    return this.#successor ? [this.#successor, this.#current] : [this.#current]
  }

  /** Throws BAD_PUBLIC_IDENTITY. */
  async learn(certificate: CertifiedCertificate): Promise<void> {
    const pin = withCertificate(this.#current, certificate)
    await this.#save(pin, { successor: this.#successor })
    this.#current = pin
  }

  /** Takes note of the next key. Throws BAD_PUBLIC_IDENTITY unless the present one vouches for it. */
  async follow(said: Successor): Promise<Pin> {
    const successor = successorOf(this.#current, said)
    await this.#save(this.#current, { successor })
    this.#successor = successor
    return successor
  }

  /** The agent has proven to have this key. */
  async met(pin: Pin): Promise<void> {
    if (pin === this.#successor) {
      await this.#save(pin, { successor: undefined, replaced: this.#current.keyId })
      this.#current = pin
      this.#successor = undefined
    }
  }
}
