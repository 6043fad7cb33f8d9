/** What a badge says. */
export interface Badge {
  readonly label: string
  readonly text: string
  readonly state: 'good' | 'bad' | 'busy' | 'unknown'
}

const COLOURS = { good: '#2b8a3e', bad: '#c92a2a', busy: '#1c6fb8', unknown: '#6c757d' } as const
/** Longer texts are cut. */
const MOST_CHARACTERS = 64
const HEIGHT = 20
const MARGIN = 6

/** An SVG picture: no script, no link, nothing that is loaded, and every text escaped. Pure. */
export function badgeSvg({ label, text, state }: Badge): string {
  const left = part(label)
  const right = part(text)
  const width = left.width + right.width
  const title = escaped(`${left.text}: ${right.text}`)
  // In the middle: not every program that draws it keeps to the length.
  const words = (x: number, { text: words, width }: Part) => {
    const place = `x="${x + width / 2}" textLength="${width - 2 * MARGIN}" lengthAdjust="spacingAndGlyphs"`
    const inside = escaped(words)
    return `<text ${place} y="15" fill="#010101" fill-opacity=".3">${inside}</text><text ${place} y="14">${inside}</text>`
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<clipPath id="r"><rect width="${width}" height="${HEIGHT}" rx="3"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${left.width}" height="${HEIGHT}" fill="#3b4148"/>`,
    `<rect x="${left.width}" width="${right.width}" height="${HEIGHT}" fill="${COLOURS[state]}"/></g>`,
    `<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">`,
    words(0, left),
    words(left.width, right),
    '</g></svg>\n',
  ].join('')
}

interface Part {
  readonly text: string
  readonly width: number
}

function part(given: string): Part {
  const text = shown(given)
  return { text, width: Math.ceil([...text].reduce((sum, each) => sum + widthOf(each), 0)) + 2 * MARGIN }
}

/** On one line, and without what hides itself or turns the direction of writing. */
function shown(text: string): string {
  const line = text
    .slice(0, 4 * MOST_CHARACTERS)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD\uFFFE\uFFFF]/gu, ' ')
    .trim()
  const characters = [...line]
  return characters.length <= MOST_CHARACTERS ? line : `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…`
}

/** Of Verdana in 11 px, by classes of letters; what is drawn is stretched to it, so that it fits in every font. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/[ijlI|'.,:;! ·]/, 4.1],
  [/[ftr()[\]{}\-/\\"`]/, 4.9],
  [/[mMW%@]/, 11],
  [/[wA-Z&<>=+~…]/, 8.6],
  [/[\x20-\x7e]/, 6.9],
]
const WIDE = 12

function widthOf(character: string): number {
  return WIDTHS.find(([letters]) => letters.test(character))?.[1] ?? WIDE
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
