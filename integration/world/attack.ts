import { join } from 'node:path'

/** What somebody would try who can run code in the manager; prints one line per attempt. */
export const ATTACK = join(import.meta.dirname, 'attack.mjs')
const ATTEMPTS = 59

/** What works without the permission model of Node, and gets at nothing that is not the user's own. */
export const HARMLESS = [
  ...['start a program', 'start a shell', 'start another Node', 'fork itself'],
  ...['start a thread without limits', 'open its own debugger', 'take the bindings of Node'],
]

/** What worked of all that was tried. Throws when not all of it was. */
export function waysOut(printed: string): readonly string[] {
  const lines = printed.split('\n').filter(line => line.startsWith('{'))
  if (lines.length < ATTEMPTS) {
    throw new Error(`only ${lines.length} of ${ATTEMPTS} attempts:\n${printed}`)
  }
  return lines
    .map(line => JSON.parse(line) as { readonly what: string; readonly worked: boolean })
    .filter(({ worked }) => worked)
    .map(({ what }) => what)
}
