import { readFileSync } from 'node:fs'
import type { Problem } from '#lib/errors.ts'
import { type Environment, type SettingName, unknownSettings } from '#lib/settings.ts'
import { parseRanges, type Ranges } from './addresses.ts'

/** Reads typed values from environment variables and collects what is wrong with them; an empty one counts as not set. */
export class EnvironmentReader {
  readonly problems: Problem[] = []
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  text(name: SettingName<'manager'>): string | undefined {
    return this.#environment[name] || undefined
  }

  /** As it is: an empty one is there too. */
  given(name: SettingName<'manager'>): string | undefined {
    return this.#environment[name]
  }

  matching(name: SettingName<'manager'>, pattern: RegExp, expected: string): string | undefined {
    const value = this.text(name)
    return value === undefined || pattern.test(value) ? value : this.refuse(name, `is "${value}"`, expected)
  }

  whole(name: SettingName<'manager'>, range: { from: number; to: number; or: number }): number {
    const value = this.text(name) ?? String(range.or)
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (number >= range.from && number <= range.to) {
      return number
    }
    this.refuse(name, `is "${value}"`, `a whole number from ${range.from} to ${range.to}`)
    return range.or
  }

  address(name: SettingName<'manager'>, or: string): { host: string; port: number } {
    const value = this.text(name) ?? or
    const [, bracketed, plain, port = ''] =
      /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i.exec(value) ?? []
    if (Number(port) > 65_535 || port === '') {
      this.refuse(name, `is "${value}"`, 'host:port, such as 127.0.0.1:7400 or [::]:7400')
    }
    return { host: bracketed ?? plain ?? '', port: Number(port) }
  }

  origin(name: SettingName<'manager'>): string | undefined {
    const value = this.text(name)
    const url = value === undefined ? undefined : URL.parse(value)
    const plain =
      url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
    return value === undefined || plain
      ? value?.replace(/\/+$/, '')
      : this.refuse(name, `is "${value}"`, 'an address such as https://fairlead.example.org')
  }

  ranges(name: SettingName<'manager'>): { ranges: Ranges; entries: string[] } {
    const entries = (this.text(name) ?? '').split(/[\s,]+/).filter(entry => entry !== '')
    const parsed = parseRanges(entries)
    if (parsed.wrong !== undefined) {
      this.refuse(
        name,
        `holds "${parsed.wrong}"`,
        'addresses or CIDRs such as 10.0.0.0/8, separated by commas',
      )
    }
    return { ranges: parsed.ranges, entries }
  }

  /** Host names, separated by commas. */
  names(name: SettingName<'manager'>): string[] | undefined {
    const entries = this.text(name)
      ?.toLowerCase()
      .split(/[\s,]+/)
    const names = entries?.filter(entry => entry !== '') ?? []
    const wrong = names.find(entry => !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(entry))
    if (wrong !== undefined) {
      this.refuse(name, `holds "${wrong}"`, 'host names such as git.example.org, separated by commas')
    }
    return names.length > 0 ? names : undefined
  }

  file(name: SettingName<'manager'>): string | undefined {
    const path = this.text(name)
    if (path === undefined) {
      return undefined
    }
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      return this.refuse(
        name,
        `names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`,
        'a readable file',
      )
    }
  }

  /** Settings of the other programs may stand beside: one file of variables can serve all. */
  refuseUnknown(): void {
    this.problems.push(...unknownSettings(this.#environment))
  }

  refuse(name: SettingName<'manager'>, message: string, expected: string): undefined {
    this.problems.push({ path: name, message: `${message}; expected ${expected}`, expected })
  }
}
