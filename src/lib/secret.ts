import { inspect } from 'node:util'

/** A text that cannot print itself: it becomes text only through reveal(), where it is used. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** The text of a value that may be a secret, for the one place that hands it over. */
export function revealed(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value
}
