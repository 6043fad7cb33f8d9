/** Raster pictures that browsers show, and what their first bytes are. SVG is none: it is a document. */
const BEGINNINGS: Readonly<Record<string, RegExp>> = {
  'image/png': /^\x89PNG\r\n\x1a\n/,
  'image/jpeg': /^\xff\xd8\xff/,
  'image/gif': /^GIF8[79]a/,
  'image/webp': /^RIFF.{4}WEBP/s,
}

/** Of one that is shown in a list. */
export const MOST_THUMBNAIL_BYTES = 400_000

export const PICTURE_TYPES: readonly string[] = Object.keys(BEGINNINGS)

export interface Picture {
  readonly type: string
  /** Without line breaks. */
  readonly base64: string
}

/** The picture that a text in base64 is, by its bytes whatever it is called; undefined when it is none, or too large. */
export function readPicture(text: string, mostBytes: number): Picture | undefined {
  if (text.length > mostBytes * 2) {
    return undefined
  }
  const base64 = text.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length > Math.ceil(mostBytes / 3) * 4) {
    return undefined
  }
  const beginning = Buffer.from(base64.slice(0, 32), 'base64').toString('latin1')
  const type = PICTURE_TYPES.find(each => BEGINNINGS[each]?.test(beginning))
  return type === undefined ? undefined : { type, base64 }
}

export function dataUrl({ type, base64 }: Picture): string {
  return `data:${type};base64,${base64}`
}
