import { parse } from '@humanwhocodes/momoa'
import { NOTEBOOK_BROKEN } from './errors.ts'

/** Texts by mime type. */
export type Bundle = Readonly<Record<string, string>>

export interface Notebook {
  readonly language: string
  readonly cells: readonly Cell[]
}

export type Cell =
  | {
      readonly kind: 'markdown'
      readonly text: string
      readonly attachments: Readonly<Record<string, Bundle>>
    }
  | { readonly kind: 'code'; readonly text: string; readonly outputs: readonly Output[] }
  | { readonly kind: 'raw'; readonly text: string }

export type Output =
  | { readonly kind: 'text'; readonly text: string; readonly isError: boolean }
  | { readonly kind: 'data'; readonly data: Bundle }

type Fields = Readonly<Record<string, unknown>>

/** Reads a notebook of format 3 or 4. What is not as the format says is left out; NOTEBOOK_BROKEN when nothing is left. */
export function readNotebook(text: string): Notebook {
  const root = fieldsOf(parsed(text))
  const metadata = fieldsOf(root.metadata)
  const cells = Array.isArray(root.cells)
    ? listOf(root.cells)
    : listOf(root.worksheets).flatMap(sheet => listOf(sheet.cells))
  if (!Array.isArray(root.cells) && !Array.isArray(root.worksheets)) {
    throw NOTEBOOK_BROKEN('it is JSON, but has no cells')
  }
  const said = fieldsOf(metadata.kernelspec).language ?? fieldsOf(metadata.language_info).name
  return {
    language: typeof said === 'string' ? said.toLowerCase() : 'python',
    cells: cells.map(readCell),
  }
}

function parsed(text: string): unknown {
  const json = text.replace(/^\ufeff/, '')
  try {
    return JSON.parse(json)
  } catch {
    const isPointer = json.startsWith('version https://git-lfs.github.com/spec/')
    throw NOTEBOOK_BROKEN(
      isPointer ? 'it is a pointer of Git LFS, and its file is not fetched' : placeOfFault(json),
    )
  }
}

/** JSON.parse names no place for most faults, and repeats what is there. */
function placeOfFault(json: string): string {
  try {
    parse(json)
  } catch (error) {
    const { line, column } = error as { line?: number; column?: number }
    if (line !== undefined && column !== undefined) {
      return `it is no JSON: line ${line}, column ${column}`
    }
  }
  return 'it is no JSON: it ends too early'
}

function readCell(cell: Fields): Cell {
  const text = joined(cell.source ?? cell.input)
  switch (cell.cell_type) {
    case 'markdown':
      return { kind: 'markdown', text, attachments: attachmentsOf(cell.attachments) }
    case 'heading':
      return { kind: 'markdown', text: `${'#'.repeat(levelOf(cell.level))} ${text}`, attachments: {} }
    case 'code':
      return { kind: 'code', text, outputs: listOf(cell.outputs).map(readOutput) }
    default:
      return { kind: 'raw', text }
  }
}

function levelOf(level: unknown): number {
  return Math.min(6, Math.max(1, Math.trunc(Number(level)) || 1))
}

function attachmentsOf(attachments: unknown): Record<string, Bundle> {
  return Object.fromEntries(
    Object.entries(fieldsOf(attachments)).map(([name, data]) => [name, bundleOf(fieldsOf(data))]),
  )
}

function readOutput(output: Fields): Output {
  switch (output.output_type) {
    case 'stream':
      return {
        kind: 'text',
        text: joined(output.text),
        isError: (output.name ?? output.stream) === 'stderr',
      }
    case 'error':
    case 'pyerr': {
      const trace = Array.isArray(output.traceback) ? output.traceback.map(joined).join('\n') : ''
      return { kind: 'text', text: trace || joined(output.evalue), isError: true }
    }
    default:
      return {
        kind: 'data',
        data: output.data === undefined ? oldBundle(output) : bundleOf(fieldsOf(output.data)),
      }
  }
}

/** What format 3 calls them. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  svg: 'image/svg+xml',
  html: 'text/html',
  latex: 'text/latex',
  text: 'text/plain',
  javascript: 'application/javascript',
}

function oldBundle(output: Fields): Bundle {
  return bundleOf(
    Object.fromEntries(
      Object.entries(OLD_NAMES).flatMap(([name, type]) =>
        output[name] === undefined ? [] : [[type, output[name]]],
      ),
    ),
  )
}

function bundleOf(data: Fields): Bundle {
  return Object.fromEntries(Object.entries(data).map(([type, value]) => [type, joined(value)]))
}

/** Texts are lists of lines as well. What is neither is no text: a widget's state is never shown. */
function joined(value: unknown): string {
  if (typeof value === 'string') {
    return value
  }
  return Array.isArray(value) ? value.filter(each => typeof each === 'string').join('') : ''
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
