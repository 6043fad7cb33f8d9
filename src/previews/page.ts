import { createHash } from 'node:crypto'
import { escaped } from './escape.ts'

export interface PreviewPage {
  readonly title: string
  /** Inert HTML, as renderNotebook makes it. */
  readonly body: string
  /** Why there is none. */
  readonly problem?: string
  /** Other notebooks of the project. */
  readonly notebooks: readonly { readonly path: string; readonly href: string; readonly isThis: boolean }[]
  /** Where the live notebook is opened; undefined: nowhere. */
  readonly live: string | undefined
}

const STYLE = `
:root{color-scheme:light dark}
body{max-width:60rem;margin:0 auto;padding:1rem;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header{border-bottom:1px solid #8886;margin-bottom:1rem;padding-bottom:.5rem}
header nav a{margin-right:1rem}
pre{overflow:auto;padding:.6rem;margin:.3rem 0;font:13px/1.4 ui-monospace,monospace;overflow-wrap:normal}
.code>pre:first-child{background:#8881;border-left:3px solid #36c}
.error{background:#c331}
.omitted{color:#777;font-style:italic}
.html{overflow:auto}
img{max-width:100%;height:auto;background:#fff}
table{border-collapse:collapse;font-size:14px}
th,td{border:1px solid #8886;padding:.2rem .5rem}
.hljs-comment,.hljs-quote{color:#6a737d}
.hljs-keyword,.hljs-built_in,.hljs-literal{color:#8250df}
.hljs-string,.hljs-regexp{color:#0a7a4b}
.hljs-number,.hljs-title{color:#0b62c4}
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/**
 * Of every page of somebody's notebook: it runs nothing, loads pictures only, and is of no origin, so that it could
 * reach nothing of this one even if it ran. Its links open elsewhere.
 */
export const PREVIEW_POLICY = [
  "default-src 'none'",
  'img-src data: https:',
  `style-src 'sha256-${STYLE_HASH}'`,
  "base-uri 'none'",
  "form-action 'none'",
  // The gallery of the web interface shows it in a frame.
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ')

/** A whole page around what was rendered. Pure. */
export function previewPage({ title, body, problem, notebooks, live }: PreviewPage): string {
  const links = notebooks.map(({ path, href, isThis }) =>
    isThis ? `<b>${escaped(path)}</b>` : `<a href="${escaped(href)}">${escaped(path)}</a>`,
  )
  const open =
    live === undefined
      ? ''
      : `<p><a href="${escaped(live)}" rel="noopener" target="_blank">Open the live notebook</a></p>`
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    `<header>${open}${links.length > 1 ? `<nav aria-label="Notebooks">${links.join(' ')}</nav>` : ''}</header>`,
    `<main>${problem === undefined ? body : `<p class="error">${escaped(problem)}</p>`}</main>`,
    '</body></html>\n',
  ].join('\n')
}

/** A path as part of an address, whatever stands in its names. */
export function pathAddress(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
