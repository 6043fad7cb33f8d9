/** What a person is told by a page of its own, which needs no script and no other file. */
export interface PlainPage {
  readonly title: string
  readonly text: string
  readonly link?: { readonly href: string; readonly text: string } | undefined
  /** A second one, for whoever does not want the first. */
  readonly other?: { readonly href: string; readonly text: string }
  /** The page asks again after so many seconds. */
  readonly again?: number
  /** It asks for a secret, which is sent to where the page came from. */
  readonly asks?: { readonly field: string; readonly label: string; readonly button: string }
}

/** Headers that such a page goes with. */
export const PLAIN_PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  // A form may be answered with the way to another host.
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http: https:; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
} as const

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color:#1c2430;background:#fff}h1{font-size:1.3rem}a{color:#0b5fae}label,input{display:block;width:100%;box-sizing:border-box;font:inherit}input,button{padding:.5rem;margin:.3rem 0 .8rem}button{font:inherit}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}a{color:#7db8f0}}'

export function plainPage({ title, text, link, other, again, asks }: PlainPage): string {
  const refresh = again === undefined ? '' : `<meta http-equiv="refresh" content="${again}">`
  const way = [link, other]
    .map(each => (each ? `<p><a href="${escaped(each.href)}">${escaped(each.text)}</a></p>` : ''))
    .join('')
  const form = asks
    ? `<form method="post"><label>${escaped(asks.label)}<input type="password" name="${escaped(asks.field)}" autocomplete="current-password" required autofocus></label><button>${escaped(asks.button)}</button></form>`
    : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">${refresh}<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p>${form}${way}</main></body></html>\n`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, each => `&#${each.codePointAt(0)};`)
}
