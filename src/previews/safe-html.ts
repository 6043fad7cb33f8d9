import sanitize from 'sanitize-html'
import type { Bundle } from './notebook.ts'
import { dataUrl, readPicture } from './picture.ts'

/** What decides about pictures and links of one cell. */
export interface Around {
  /** Pictures of the cell by name, which `attachment:` names. */
  readonly attachments: Readonly<Record<string, Bundle>>
  readonly mostPictureBytes: number
}

/** None of them is read as anything but HTML, holds raw text, loads or sends anything. */
export const SAFE_TAGS: readonly string[] = [
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'div', 'span', 'section', 'blockquote', 'hr', 'br', 'center'],
  ...[
    'a',
    'b',
    'i',
    'u',
    's',
    'em',
    'strong',
    'small',
    'mark',
    'del',
    'ins',
    'sub',
    'sup',
    'abbr',
    'q',
    'cite',
  ],
  ...['code', 'pre', 'kbd', 'samp', 'var', 'font', 'time', 'wbr'],
  ...['ul', 'ol', 'li', 'dl', 'dt', 'dd', 'details', 'summary', 'figure', 'figcaption'],
  ...['table', 'caption', 'colgroup', 'col', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td', 'img'],
]
const EVERYWHERE = ['colspan', 'rowspan', 'align', 'valign', 'title', 'dir', 'lang', 'scope', 'start']

/** HTML of somebody, as HTML that does nothing: an allow-list of elements and attributes, by a real parser. */
export function safeHtml(html: string, around: Around): string {
  return sanitize(html, {
    allowedTags: [...SAFE_TAGS],
    allowedAttributes: {
      '*': EVERYWHERE,
      a: ['href', 'rel', 'target'],
      img: ['src', 'alt', 'width', 'height'],
      font: ['color'],
    },
    allowedClasses: { span: ['hljs-*'], code: ['language-*', 'hljs'], table: ['dataframe'] },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowedSchemesByTag: { img: ['https', 'data'] },
    allowProtocolRelative: false,
    allowedStyles: {},
    disallowedTagsMode: 'discard',
    nonTextTags: ['script', 'style', 'textarea', 'option', 'xmp', 'noscript', 'title', 'template', 'iframe'],
    nestingLimit: 200,
    transformTags: {
      a: (_, { href, title }) => ({ tagName: 'a', attribs: linkAttributes(href, title) }),
      img: (_, attributes) => image(attributes, around),
    },
  })
}

/** To the web in a window of its own, to another notebook of the project in this one; nowhere else. */
function linkAttributes(href = '', title: string | undefined): Record<string, string> {
  const about = title === undefined ? {} : { title }
  if (/^(?:https?:\/\/|mailto:)/i.test(href)) {
    return { href, ...about, rel: 'noopener noreferrer nofollow', target: '_blank' }
  }
  return isNotebookPath(href) ? { href, ...about } : { ...about }
}

function isNotebookPath(href: string): boolean {
  return /^[\w%.~-][\w%.~/ -]*\.ipynb$/.test(href) && !href.split('/').includes('..')
}

/** What is in the notebook, or on the web. A file of the repository is not shown with it. */
function image(attributes: Record<string, string>, around: Around): sanitize.Tag {
  const { src = '', alt = '', title = '' } = attributes
  const picture = pictureOf(src, around)
  if (picture === undefined && !/^https:\/\//i.test(src)) {
    return { tagName: 'span', attribs: {}, text: `[${alt || title || 'picture'}]` }
  }
  return { tagName: 'img', attribs: { ...attributes, src: picture ?? src } }
}

function pictureOf(src: string, { attachments, mostPictureBytes }: Around): string | undefined {
  const [, name] = /^attachment:(.+)$/s.exec(src) ?? []
  const [, data] = /^data:image\/[a-z]+;base64,(.+)$/is.exec(src) ?? []
  const texts = name === undefined ? [data] : Object.values(attached(attachments, name))
  for (const text of texts) {
    const picture = text === undefined ? undefined : readPicture(text, mostPictureBytes)
    if (picture) {
      return dataUrl(picture)
    }
  }
  return undefined
}

/** Markdown writes the name in an address. */
function attached(attachments: Around['attachments'], name: string): Bundle {
  for (const each of [name, decoded(name)]) {
    if (Object.hasOwn(attachments, each)) {
      return attachments[each] ?? {}
    }
  }
  return {}
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
