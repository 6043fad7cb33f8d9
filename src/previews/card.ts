import { createHash } from 'node:crypto'
import { escaped } from './escape.ts'

const WIDTH = 480
const HEIGHT = 300
const LINE = 26
const MOST_LINES = 4

/** A picture of a project that has none: its title and language, in a colour of its own. Pure. */
export function cardSvg({
  slug,
  title,
  language,
}: {
  slug: string
  title: string
  language: string
}): string {
  const hue = (createHash('sha256').update(slug).digest()[0] ?? 0) * (360 / 256)
  const lines = linesOf(title || slug)
  const text = lines.map(
    (line, index) => `<text x="32" y="${96 + index * 44}" font-size="34">${escaped(line)}</text>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="hsl(${hue.toFixed(0)} 45% 35%)"/>`,
    `<g fill="#fff" font-family="system-ui,sans-serif">${text.join('')}`,
    `<text x="32" y="${HEIGHT - 28}" font-size="20" opacity=".8">${escaped(shown(language))}</text></g>`,
    '</svg>\n',
  ].join('')
}

function linesOf(title: string): string[] {
  const lines: string[] = ['']
  for (const word of shown(title).split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + word.length + 1 > LINE) {
      lines.push(word)
    } else {
      lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
    }
  }
  return lines.slice(0, MOST_LINES).map(line => [...line].slice(0, LINE).join(''))
}

function shown(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
