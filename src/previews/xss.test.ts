import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardSvg } from './card.ts'
import { PREVIEW_POLICY, previewPage } from './page.ts'
import { renderNotebook } from './render-notebook.ts'
import { assertInert } from './test-inert.ts'

const PAYLOADS: readonly string[] = [
  '<script>window.X=1</script>',
  '<img src=x onerror="window.X=1">',
  '<svg onload="window.X=1"></svg>',
  '<a href="javascript:window.X=1">x</a>',
  '[x](javascript:window.X=1)',
  '[x](JaVaScRiPt:window.X=1)',
  '![x](data:text/html;base64,PHNjcmlwdD4=)',
  '<iframe srcdoc="<script>parent.X=1</script>"></iframe>',
  '<object data="data:text/html,<script>parent.X=1</script>"></object>',
  '<math><mtext><table><mglyph><style><img src=x onerror=window.X=1>',
  '<style>@import "http://evil"</style>',
  '<form action=http://evil><input name=a></form>',
  '<base href=http://evil/>',
  '<meta http-equiv=refresh content="0;url=http://evil">',
  '<div style="background:url(javascript:1)">',
  '<img src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+">',
  '<a href="data:text/html,<script>1</script>">x</a>',
  '<details ontoggle=window.X=1 open>',
  '<noscript><p title="</noscript><img src=x onerror=window.X=1>">',
  '<xmp><img src=x onerror=window.X=1></xmp>',
  '<a href="vbscript:x">',
  '<img srcset="x onerror=1">',
  '<link rel=import href=http://evil>',
  '<template><script>window.X=1</script></template>',
  '<svg><a xlink:href="javascript:window.X=1"><text>x</text></a></svg>',
  '[a]: javascript:window.X=1\n\n[a]',
  '<javascript:window.X=1>',
  // Beyond the set: control characters in schemes, closing of what is around, clobbering, relative ways out.
  '<a href="java\tscript:window.X=1">x</a>',
  '<a href=" &#x6a;avascript:window.X=1">x</a>',
  '<a href="\u0001javascript:window.X=1">x</a>',
  '<a href="//evil/x.ipynb">x</a>',
  '<a href="../../api/x.ipynb">x</a>',
  '<img src="//evil/x.png">',
  '</code></pre></section></main></body><script>window.X=1</script>',
  '--><script>window.X=1</script><!--',
  '<![CDATA[<img src=x onerror=window.X=1>]]>',
  '<img name=body id=location src="data:image/png;base64,AAAA" onerror=1>',
  '```"><script>window.X=1</script>\nx\n```',
  '<textarea></textarea><img src=x onerror=1></textarea>',
  '<plaintext><img src=x onerror=1>',
  '<select><style></select><img src=x onerror=1></style>',
  '"><img src=x onerror=window.X=1>',
  "' onerror=window.X=1 '",
]

const PNG = 'iVBORw0KGgo='

test('R10 every payload of the XSS set is inert in every place of a notebook', () => {
  for (const payload of PAYLOADS) {
    for (const [place, notebook] of Object.entries(placesFor(payload))) {
      const { html, title = '' } = renderNotebook(JSON.stringify(notebook))
      assertInert(html, `${JSON.stringify(payload)} in ${place}`)
      const page = {
        title,
        body: '',
        notebooks: [{ path: payload, href: payload, isThis: true }],
        live: payload,
      }
      assert.doesNotMatch(
        previewPage(page)
          .replace(/<style>.*<\/style>/s, '')
          .replace(/="[^"]*"/g, ''),
        /<(?!\/?(?:html|head|meta|title|body|header|p|a|nav|b|main|!doctype)\b)|<[^>]* on\w+=/,
        place,
      )
      assert.doesNotMatch(
        cardSvg({ slug: 'a', title: payload, language: payload }),
        /<(?!\/?(?:svg|rect|g|text)[ >])/,
      )
    }
  }
})

test('a page may run nothing, whatever is in it', () => {
  assert.match(PREVIEW_POLICY, /^default-src 'none'; .*sandbox(?! allow-(?:scripts|same-origin))/)
  assert.doesNotMatch(PREVIEW_POLICY, /script|unsafe|\*/)
})

test('the checker finds what a renderer that escapes nothing would let through', () => {
  const harmless = new Set<string>()
  for (const payload of PAYLOADS.filter(each => each.startsWith('<') && !each.includes('image/svg'))) {
    try {
      assertInert(payload, '')
      harmless.add(payload)
    } catch {
      // Found.
    }
  }
  assert.deepEqual([...harmless], [])
})

/** Wherever somebody may write something, in both formats. */
function placesFor(payload: string): Readonly<Record<string, object>> {
  const output = (fields: object) => ({ cells: [{ cell_type: 'code', source: '', outputs: [fields] }] })
  const shown = (data: object) => output({ output_type: 'display_data', data })
  const old = (cell: object) => ({ nbformat: 3, worksheets: [{ cells: [cell] }] })
  const attached = (attachments: object) => ({
    cells: [{ cell_type: 'markdown', source: `![a](attachment:x.png)`, attachments }],
  })
  return {
    markdown: { cells: [{ cell_type: 'markdown', source: payload }] },
    heading: { cells: [{ cell_type: 'markdown', source: `# ${payload}` }] },
    code: { cells: [{ cell_type: 'code', source: payload, outputs: [] }] },
    language: {
      metadata: { kernelspec: { language: payload } },
      cells: [{ cell_type: 'code', source: payload }],
    },
    raw: { cells: [{ cell_type: 'raw', source: payload }] },
    'an unknown kind of cell': { cells: [{ cell_type: payload, source: payload }] },
    'an attachment': attached({ 'x.png': { 'image/png': payload } }),
    'the type of an attachment': attached({ 'x.png': { [payload]: PNG } }),
    'the name of an attachment': {
      cells: [
        {
          cell_type: 'markdown',
          source: `<img src="attachment:${payload}">`,
          attachments: { [payload]: { a: PNG } },
        },
      ],
    },
    html: shown({ 'text/html': payload }),
    'markdown of an output': shown({ 'text/markdown': [payload] }),
    latex: shown({ 'text/latex': payload }),
    text: shown({ 'text/plain': payload }),
    svg: shown({ 'image/svg+xml': payload }),
    png: shown({ 'image/png': payload }),
    'png before it': shown({ 'image/png': `${PNG}${payload}` }),
    javascript: shown({ 'application/javascript': payload }),
    'a widget': shown({ 'application/vnd.jupyter.widget-view+json': { model_id: payload } }),
    'the type of an output': shown({ [payload]: payload }),
    stream: output({ output_type: 'stream', name: payload, text: payload }),
    traceback: output({ output_type: 'error', ename: payload, evalue: payload, traceback: [payload] }),
    'the value of an error': output({ output_type: 'error', ename: payload, evalue: payload }),
    'an unknown kind of output': output({ output_type: payload, data: { 'text/html': payload } }),
    'html of format 3': old({
      cell_type: 'code',
      input: payload,
      outputs: [{ output_type: 'pyout', html: payload }],
    }),
    'a heading of format 3': old({ cell_type: 'heading', level: payload, source: payload }),
    'a stream of format 3': old({
      cell_type: 'code',
      input: '',
      outputs: [{ output_type: 'stream', stream: payload, text: payload }],
    }),
  }
}
