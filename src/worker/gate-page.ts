/** What a visitor is told who does not get through. */
export interface GatePage {
  readonly title: string
  readonly text: string
  readonly link?: { readonly href: string; readonly text: string } | undefined
  /** The page asks again after so many seconds. */
  readonly again?: number
}

/** A page that needs nothing else: no script, no other file. */
export function gatePage({ title, text, link, again }: GatePage): string {
  const refresh = again === undefined ? '' : `<meta http-equiv="refresh" content="${again}">`
  const way = link ? `<p><a href="${escaped(link.href)}">${escaped(link.text)}</a></p>` : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">${refresh}<title>${escaped(title)}</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color:#1c2430;background:#fff}h1{font-size:1.3rem}a{color:#0b5fae}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}a{color:#7db8f0}}</style></head><body><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p>${way}</main></body></html>\n`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, each => `&#${each.codePointAt(0)};`)
}
