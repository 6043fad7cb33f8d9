import { stripVTControlCharacters } from 'node:util'

/** C0 and C1 controls but line end and tab, marks that turn or hide text: direction, joiners, tags. */
const UNSHOWN =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** Text from elsewhere as a terminal may show it: nothing in it moves the cursor, colours, or turns the direction. */
export function inert(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(UNSHOWN, '')
}

/** The same on one line, cut to `width` characters. */
export function inertLine(text: string, width = 400): string {
  const line = inert(text.length > 4 * width ? text.slice(0, 4 * width) : text)
    .replace(/\s+/g, ' ')
    .trim()
  const characters = [...line]
  return characters.length > width ? `${characters.slice(0, Math.max(width - 1, 0)).join('')}…` : line
}
