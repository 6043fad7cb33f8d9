import { isMapping } from './config-texts.ts'

const LONGEST = 120

/** The first heading of a notebook's Markdown cells, as plain text; undefined when it has none, or cannot be read. */
export function notebookTitle(text: string): string | undefined {
  for (const source of markdownCells(text)) {
    for (const line of source.split('\n')) {
      const heading = /^#{1,2}\s+(.*?)[\s#]*$/.exec(line)?.[1]
      const title = plain(heading ?? '')
      if (title !== '') {
        return title
      }
    }
  }
  return undefined
}

/** The notebook that is opened first: the named one, `index.ipynb`, or the first by name. */
export function entryOf(notebooks: readonly string[], asked: string | undefined): string | undefined {
  if (asked !== undefined) {
    return asked
  }
  const isIndex = (path: string) => path.toLowerCase() === 'index.ipynb'
  return notebooks.find(isIndex) ?? notebooks.find(path => !path.includes('/')) ?? notebooks[0]
}

function markdownCells(text: string): string[] {
  let notebook: unknown
  try {
    notebook = JSON.parse(text)
  } catch {
    return []
  }
  const cells = isMapping(notebook) && Array.isArray(notebook.cells) ? notebook.cells : []
  return cells.flatMap((cell: unknown) => {
    if (!isMapping(cell) || cell.cell_type !== 'markdown') {
      return []
    }
    const { source } = cell
    return [Array.isArray(source) ? source.join('') : String(source ?? '')]
  })
}

/** Without the signs of Markdown, HTML and control characters. */
function plain(heading: string): string {
  const text = heading
    .replace(/!?\[([^\]]{0,200})\]\([^)]{0,500}\)/g, '$1')
    .replace(/<[^<>]{0,200}>/g, '')
    .replace(/[*_`]|\p{C}/gu, '')
    .trim()
  return [...text].slice(0, LONGEST).join('')
}
