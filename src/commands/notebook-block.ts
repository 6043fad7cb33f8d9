import type { NotebookLink } from './notebook-link-data.ts'
import type { PlacedBlock } from './repository-blocks.ts'

const VERSION = 1

/**
 * What stands in a project's URL.md. It is made of nothing but what runs: no time and no counter, so that the same
 * state is the same bytes, and is not pushed again.
 */
export function notebookBlock(link: NotebookLink, withImage: boolean): PlacedBlock {
  const { folder, title, status, url, badge, commit, preview, error } = link
  const data = {
    v: VERSION,
    project: link.slug,
    status,
    url,
    mode: link.mode,
    commit,
    tree: link.tree,
    image: withImage ? link.image : null,
    preview,
    error,
  }
  const rows = [
    ['Open', url === null ? '_not available_' : `[${escaped(title)}](${address(url)})`],
    ['Status', badge === null ? status : `![${status}](${address(badge)}) ${status}`],
    ['Version', commit === null ? '-' : `\`${commit.slice(0, 12)}\``],
    ...(preview === null ? [] : [['Preview', `[read-only](${address(preview)})`]]),
    ...(error === null ? [] : [['Last error', `${escaped(error)}${logOf(link)}`]]),
  ]
  const text = [
    '| | |',
    '|---|---|',
    ...rows.map(([name, value]) => `| **${name}** | ${value} |`),
    '',
    comment('nb:data', data),
  ].join('\n')
  return {
    path: folder === '.' ? 'URL.md' : `${folder}/URL.md`,
    marker: 'nb',
    version: VERSION,
    text,
    heading: `# ${escaped(title)}`,
    // A folder that is gone is not made again to say so.
    onlyInPlace: status === 'removed' || link.onlyInPlace === true,
    find: findChanges,
  }
}

function logOf({ log }: NotebookLink): string {
  return log === undefined ? '' : ` ([log](${address(log)}))`
}

/** The table of all projects, for the root of the repository. */
export function indexBlock(links: readonly NotebookLink[]): PlacedBlock {
  const shown = links
    .filter(({ status }) => status !== 'removed')
    .toSorted((a, b) => (a.folder < b.folder ? -1 : 1))
  const rows = shown.map(({ title, url, badge, status, preview, folder }) =>
    [
      escaped(title),
      escaped(folder),
      url === null ? '_not available_' : `[open](${address(url)})`,
      badge === null ? status : `![${status}](${address(badge)}) ${status}`,
      preview === null ? '-' : `[read-only](${address(preview)})`,
    ].join(' | '),
  )
  const text = [
    '| Notebook | Folder | Open | Status | Preview |',
    '|---|---|---|---|---|',
    ...rows.map(row => `| ${row} |`),
    '',
    comment('nb:index-data', { v: VERSION, projects: shown.map(({ slug }) => slug) }),
  ].join('\n')
  return {
    path: 'URL.md',
    marker: 'nb:index',
    version: VERSION,
    text,
    heading: '# Notebooks',
    onlyInPlace: shown.length === 0,
  }
}

function findChanges(standing: string): string | undefined {
  return isAsWritten(standing) ? undefined : 'had been changed by hand between its marks: that was replaced'
}

/**
 * Whether the table still says what the data of the same block says. Title and badge are in the table alone, so another
 * one there is not noticed.
 */
function isAsWritten(standing: string): boolean {
  const lines = standing.split(/\r?\n/)
  const data = dataIn(lines.at(-1) ?? '')
  if (!data || lines.at(-2) !== '') {
    return false
  }
  const { url, status, commit, preview, error } = data
  const rows: readonly (readonly [string, (value: string) => boolean])[] = [
    ['Open', value => (url ? value.endsWith(`](${address(url)})`) : value === '_not available_')],
    ['Status', value => value === status || value.endsWith(`) ${status}`)],
    ['Version', value => value === (commit ? `\`${commit.slice(0, 12)}\`` : '-')],
    ...(preview
      ? [['Preview', (value: string) => value === `[read-only](${address(preview)})`] as const]
      : []),
    ...(error ? [['Last error', (value: string) => value.startsWith(escaped(error))] as const] : []),
  ]
  const said = lines.slice(2, -2).map(line => /^\| \*\*([^*|]+)\*\* \| (.*) \|$/.exec(line))
  return (
    said.length === rows.length &&
    rows.every(([name, isRight], at) => said[at]?.[1] === name && isRight(said[at]?.[2] ?? ''))
  )
}

type Standing = Partial<Record<'url' | 'status' | 'commit' | 'preview' | 'error', string | null>>

function dataIn(line: string): Standing | undefined {
  try {
    return JSON.parse(/^<!-- nb:data (.*) -->$/.exec(line)?.[1] ?? '') as Standing
  } catch {
    return undefined
  }
}

/** Two hyphens could end the comment, and stand in every internationalised name. */
function comment(name: string, data: object): string {
  const json = JSON.stringify(data).replaceAll('--', '-\\u002d').replaceAll('->', '-\\u003e')
  return `<!-- ${name} ${json} -->`
}

/** Keeps a name behind `@` from being told: Git hosts look for names in what is shown, whatever is escaped. */
const JOINER = '\u2060'

/** A text within a cell, on one line, that is nothing but text: no link, picture, formula, reference or name of a person. */
function escaped(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[|\\`<>[\]*_!&#~$^]|:(?=\/\/)/g, '\\$&')
    .replace(/@(?=[\p{L}\p{N}_])/gu, `\\@${JOINER}`)
    .replace(/\bwww\./gi, each => `${each.slice(0, -1)}\\.`)
    .trim()
}

/** An address that cannot end the link that it stands in. */
function address(url: string): string {
  return url.replace(
    /[\s()<>|\\`[\]]/g,
    each => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
