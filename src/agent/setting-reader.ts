import { hostname } from 'node:os'
import type { FairleadError, Problem } from '#lib/errors.ts'
import { type Environment, unknownSettings } from '#lib/settings.ts'

const ADDRESS = /^(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i
/** What an agent may be called. */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/

/** Reads typed values of an agent's environment and collects what is wrong with them, so that one start tells all. */
export class SettingReader<N extends string> {
  protected readonly environment: Environment
  readonly #problems: Problem[] = []

  constructor(environment: Environment) {
    this.environment = environment
  }

  text(name: N, fallback: string): string {
    return this.environment[name] || fallback
  }

  matching(name: N, { pattern, fallback }: { pattern: RegExp; fallback: string }): string {
    const value = this.text(name, fallback)
    if (!pattern.test(value)) {
      this.refuse(name, `"${value}" is not of the form ${pattern.source}`)
    }
    return value
  }

  address(name: N, fallback: string): { host: string; port: number } {
    const value = this.text(name, fallback)
    const [, six, four, port] = ADDRESS.exec(value) ?? []
    if (port === undefined || Number(port) > 65_535) {
      this.refuse(name, `"${value}" is not host:port`)
    }
    return { host: six ?? four ?? '', port: Number(port ?? 0) }
  }

  /** Throws when anything was wrong, also a misspelt name. */
  finish(invalid: (name: string, what: string) => FairleadError): void {
    this.#problems.push(...unknownSettings(this.environment))
    const [first] = this.#problems
    if (first) {
      throw invalid(first.path, first.message).with({ problems: this.#problems })
    }
  }

  refuse(name: string, message: string): void {
    this.#problems.push({ path: name, message })
  }
}

/** The name of this machine, as an agent may be called; with an ending where two agents of it need two names. */
export function ownName(fallback: string, ending = ''): string {
  const name = `${hostname()
    .replaceAll(/[^a-zA-Z0-9._-]/g, '-')
    .slice(0, 63 - ending.length)}${ending}`
  return NAME.test(name) ? name : fallback
}
