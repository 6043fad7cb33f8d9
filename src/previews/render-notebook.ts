import { escaped } from './escape.ts'
import { type Bundle, type Cell, type Notebook, type Output, readNotebook } from './notebook.ts'
import { dataUrl, MOST_THUMBNAIL_BYTES, PICTURE_TYPES, type Picture, readPicture } from './picture.ts'
import { highlighted, plainText, renderMarkdown } from './render-text.ts'
import { safeHtml } from './safe-html.ts'

export interface Rendered {
  /** What stands in the body of a page. Nothing in it is executed, loaded from elsewhere than https, or sent. */
  readonly html: string
  /** The first heading. */
  readonly title?: string
  /** The first that the notebook made. */
  readonly picture?: Picture
}

const MOST_TEXT = 200_000
const MOST_PICTURE_BYTES = 2_000_000
const MOST_OUTPUTS = 50
const MOST_HTML = 8_000_000
const LONGEST_TITLE = 120

/** The static page of a notebook. Pure; NOTEBOOK_BROKEN for what is none. */
export function renderNotebook(text: string): Rendered {
  const notebook = readNotebook(text)
  const parts: string[] = []
  let length = 0
  for (const [index, cell] of notebook.cells.entries()) {
    const html = renderCell(cell, notebook)
    length += html.length
    if (length > MOST_HTML) {
      parts.push(omitted(`${notebook.cells.length - index} cells are left out: the notebook is too large`))
      break
    }
    parts.push(html)
  }
  const title = titleOf(notebook)
  const picture = firstPicture(notebook)
  return {
    html: parts.join('\n'),
    ...(title === undefined ? {} : { title }),
    ...(picture ? { picture } : {}),
  }
}

function renderCell(cell: Cell, { language }: Notebook): string {
  switch (cell.kind) {
    case 'markdown':
      return `<section class="markdown">${cut(cell.text, text => renderMarkdown(text, aroundOf(cell.attachments)))}</section>`
    case 'raw':
      return `<section class="raw"><pre>${cut(cell.text, escaped)}</pre></section>`
    case 'code': {
      const code = cut(cell.text, text => highlighted(text, language))
      return `<section class="code"><pre><code>${code}</code></pre>${renderOutputs(cell.outputs)}</section>`
    }
  }
}

function aroundOf(attachments: Readonly<Record<string, Bundle>>) {
  return { attachments, mostPictureBytes: MOST_PICTURE_BYTES }
}

function renderOutputs(outputs: readonly Output[]): string {
  const shown = outputs.slice(0, MOST_OUTPUTS).map(renderOutput).join('')
  const more = outputs.length - MOST_OUTPUTS
  return more > 0 ? `${shown}${omitted(`${more} more outputs are left out`)}` : shown
}

function renderOutput(output: Output): string {
  return output.kind === 'text'
    ? `<pre class="${output.isError ? 'error' : 'output'}">${shownText(output.text)}</pre>`
    : renderData(output.data)
}

/** The richest form that needs no program. */
function renderData(data: Bundle): string {
  const raster = PICTURE_TYPES.map(type => data[type]).find(text => text !== undefined && text !== '')
  if (raster !== undefined) {
    const picture = readPicture(raster, MOST_PICTURE_BYTES)
    return picture ? image(dataUrl(picture)) : omitted('a picture is left out: it is too large, or none')
  }
  const svg = data['image/svg+xml']
  if (svg) {
    // Within <img> it can run nothing and load nothing.
    return svg.length > MOST_PICTURE_BYTES
      ? omitted('a drawing is left out: it is too large')
      : image(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`)
  }
  if (data['text/html']) {
    return `<div class="html">${cut(data['text/html'], text => safeHtml(text, aroundOf({})))}</div>`
  }
  if (data['text/markdown']) {
    return cut(data['text/markdown'], text => renderMarkdown(text, aroundOf({})))
  }
  const plain = data['text/latex'] || data['text/plain']
  if (plain) {
    return `<pre class="output">${shownText(plain)}</pre>`
  }
  const type = Object.keys(data)[0]
  return omitted(
    `an output${type === undefined ? '' : ` of type ${type.slice(0, 80)}`} needs the live notebook`,
  )
}

function shownText(text: string): string {
  return cut(text, part => escaped(plainText(part)))
}

function cut(text: string, render: (text: string) => string): string {
  const more = text.length - MOST_TEXT
  return more > 0
    ? `${render(text.slice(0, MOST_TEXT).toWellFormed())}${omitted(`${more} characters are left out`)}`
    : render(text)
}

function image(url: string): string {
  return `<img alt="output" src="${url}">`
}

function omitted(what: string): string {
  return `<span class="omitted">… ${escaped(what)} …</span>`
}

function titleOf({ cells }: Notebook): string | undefined {
  for (const cell of cells) {
    const [, heading] =
      (cell.kind === 'markdown' &&
        /^ {0,3}#{1,2}[ \t]+(.+)$/m.exec(cell.text.replace(/^(?:```|~~~).*?^(?:```|~~~)/gms, ''))) ||
      []
    const title = inert(heading ?? '')
    if (title !== '') {
      return title
    }
  }
  return undefined
}

/** Of a heading the words. */
function inert(heading: string): string {
  const words = heading
    .slice(0, 1000)
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>?/g, '')
    .replace(/[*_`~]|\s#+\s*$/g, '')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return [...words].slice(0, LONGEST_TITLE).join('')
}

function firstPicture({ cells }: Notebook): Picture | undefined {
  for (const cell of cells) {
    for (const output of cell.kind === 'code' ? cell.outputs : []) {
      const picture = output.kind === 'data' ? smallPicture(output.data) : undefined
      if (picture) {
        return picture
      }
    }
  }
  return undefined
}

function smallPicture(data: Bundle): Picture | undefined {
  return PICTURE_TYPES.map(type => readPicture(data[type] ?? '', MOST_THUMBNAIL_BYTES)).find(each => each)
}
