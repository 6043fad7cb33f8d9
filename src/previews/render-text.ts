import hljs from 'highlight.js/lib/common'
import julia from 'highlight.js/lib/languages/julia'
import MarkdownIt from 'markdown-it'
import { escaped } from './escape.ts'
import { type Around, safeHtml } from './safe-html.ts'

hljs.registerLanguage('julia', julia)

const markdown = new MarkdownIt({ html: true, linkify: false, highlight: highlighted })
// Every address is looked at afterwards, those of Markdown and those of HTML in it alike.
markdown.validateLink = () => true

/** Markdown, with the HTML in it, as HTML that does nothing. */
export function renderMarkdown(text: string, around: Around): string {
  return safeHtml(markdown.render(text), around)
}

/** Source code as HTML, coloured when its language is known. */
export function highlighted(code: string, language: string): string {
  try {
    return hljs.getLanguage(language)
      ? hljs.highlight(code, { language, ignoreIllegals: true }).value
      : escaped(code)
  } catch {
    return escaped(code)
  }
}

/** What a terminal would show in the end: without colours, and of a line that was written again the last. */
export function plainText(text: string): string {
  return text
    .replace(/\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, '')
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map(line => line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace(/\r$/, ''))
    .join('\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
}
