import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Which requirement, bad input or performance figure is shown by which test; `--json` for programs. */
const ROOT = join(import.meta.dirname, '..')
const ID = /^[A-Z]\d{1,3}$/
/** A text in a test file that begins with ids: a title, or the row of a table that titles are made from. */
const TITLE = /(['"`])((?:[A-Z]\d{1,3}[ ,]+)+(?:\\.|(?!\1)[^\n\\])*)\1/g
/** A figure of a benchmark: what it measures, under which id. */
const FIGURE = /\bid: '([A-Z]\d{1,3})',\s*what: (['`])(.*?)\2/g

interface Line {
  readonly id: string
  readonly text: string
  readonly decided: string | undefined
}

function readIds(): Line[] {
  const text = readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8')
  return [...text.matchAll(/^- ([A-Z]\d{1,3}) (.*)$/gm)].map(([, id = '', rest = '']) => ({
    id,
    text: rest,
    decided: /\bDecided: (.*)$/.exec(rest)?.[1],
  }))
}

/** Test titles by the ids they begin with (`W03 W04 a signature …` shows both), and figures by theirs. */
function readTitles(): Map<string, string[]> {
  const titles = new Map<string, string[]>()
  for (const folder of ['src', 'integration', 'e2e', 'web']) {
    for (const file of filesIn(join(ROOT, folder), '.test.ts')) {
      for (const [, , title = ''] of readFileSync(file, 'utf8').matchAll(TITLE)) {
        for (const id of leadingIds(title)) {
          titles.set(id, [...(titles.get(id) ?? []), `${file.slice(ROOT.length + 1)}: ${title}`])
        }
      }
    }
  }
  for (const file of filesIn(join(ROOT, 'bench'), '.ts')) {
    for (const [, id = '', , what = ''] of readFileSync(file, 'utf8').matchAll(FIGURE)) {
      titles.set(id, [...(titles.get(id) ?? []), `${file.slice(ROOT.length + 1)}: measures ${what}`])
    }
  }
  return titles
}

function leadingIds(title: string): string[] {
  const words = title.split(/[\s,]+/)
  const end = words.findIndex(word => !ID.test(word))
  return words.slice(0, end === -1 ? words.length : end)
}

function filesIn(folder: string, ending: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder, { recursive: true }) as string[]
  } catch {
    return []
  }
  return names.filter(name => name.endsWith(ending)).map(name => join(folder, name))
}

function main(): void {
  const titles = readTitles()
  const lines = readIds()
  const covered = lines.filter(line => titles.has(line.id))
  const decided = lines.filter(line => !titles.has(line.id) && line.decided !== undefined)
  const uncovered = lines.filter(line => !titles.has(line.id) && line.decided === undefined)
  if (process.argv.includes('--json')) {
    const only = (list: Line[]) => list.map(line => line.id)
    process.stdout.write(
      `${JSON.stringify({ covered: only(covered), decided: only(decided), uncovered: only(uncovered) })}\n`,
    )
    return
  }
  for (const line of covered) {
    process.stdout.write(`${line.id}\n${(titles.get(line.id) ?? []).map(title => `    ${title}\n`).join('')}`)
  }
  for (const line of decided) {
    process.stdout.write(`${line.id}\n    decided: ${line.decided}\n`)
  }
  for (const line of uncovered) {
    process.stdout.write(`${line.id}\n    uncovered: ${line.text}\n`)
  }
  const unknown = [...titles.keys()].filter(id => !lines.some(line => line.id === id))
  if (unknown.length > 0) {
    process.stdout.write(`in titles but not in docs/requirements.md: ${unknown.join(' ')}\n`)
  }
  process.stdout.write(
    `covered ${covered.length}, decided ${decided.length}, uncovered ${uncovered.length} of ${lines.length}\n`,
  )
}

main()
