import assert from 'node:assert/strict'
import sanitize from 'sanitize-html'
import { SAFE_TAGS } from './safe-html.ts'

const ATTRIBUTES = new Set([
  ...[
    'href',
    'rel',
    'target',
    'title',
    'src',
    'alt',
    'width',
    'height',
    'class',
    'color',
    'colspan',
    'rowspan',
  ],
  ...['align', 'valign', 'dir', 'lang', 'scope', 'start'],
])
/** An element of which a parser has no choice how to read it: every value in quotes, no mark of HTML within. */
const ELEMENT = /^<(?:\/[a-z][a-z0-9]*|[a-z][a-z0-9]*(?: [a-z]+(?:="[^"<>]*")?)*(?: \/)?)>$/
const HREF = /^(?:https?:\/\/|mailto:)|^(?!.*\.\.\/)[\w%.~-][\w%.~/ -]*\.ipynb$/
const SRC = /^(?:https:\/\/[^"]*|data:image\/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+={0,2})$/

/**
 * Fails when a browser could do anything with the HTML but show it. Everything that begins with `<` must be an element
 * of the list in its plainest form: none of them is raw text or foreign, so every parser reads them alike.
 */
export function assertInert(html: string, what: string): void {
  for (const [found] of html.matchAll(/<[^>]*>?/g)) {
    assert.match(found, ELEMENT, `${what}: ${found}`)
  }
  sanitize(html, {
    allowedTags: false,
    allowedAttributes: false,
    allowVulnerableTags: true,
    onOpenTag(name, attributes) {
      assert.ok(SAFE_TAGS.includes(name), `${what}: <${name}>`)
      for (const [attribute, value] of Object.entries(attributes)) {
        assert.ok(ATTRIBUTES.has(attribute), `${what}: ${attribute}=${value}`)
        if (attribute === 'href') {
          assert.match(value, HREF, what)
        }
        if (attribute === 'src') {
          assert.match(value, SRC, what)
        }
      }
    },
  })
}
