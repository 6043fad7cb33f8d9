import { Script } from 'node:vm'

const LONGEST_MS = 1000
let script: Script | undefined

/**
 * Whether a text fits a regular expression that a stranger wrote; undefined when it is none, or when finding out takes
 * longer than a second: some take for ever on some texts, and nothing else happens in this process meanwhile.
 */
export function fitsWithinBounds(pattern: string, text: string): boolean | undefined {
  try {
    const expression = new RegExp(pattern, 'u')
    script ??= new Script('expression.test(text)')
    return script.runInNewContext({ expression, text }, { timeout: LONGEST_MS }) as boolean
  } catch {
    return undefined
  }
}
