import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createProjectFolder, type ProjectFolder } from './project-folder.ts'

export interface StrictRow {
  readonly id: string
  readonly files: Readonly<Record<string, string>>
  readonly expect: Readonly<Record<string, unknown>>
}

export interface Case {
  readonly id: string
  readonly files: Readonly<Record<string, string>>
  /** A pack, or `E:` and the code of a diagnostic. */
  readonly ours: string
  readonly facts: string
  readonly strict: Readonly<Record<string, unknown>>
}

/** What repo2docker itself answered for 600 generated folders. */
export function readStrictRows(): StrictRow[] {
  return rowsOf(gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures/strict.jsonl.gz'))).toString())
}

/** Folders with what is expected of their recipes. */
export function readCases(): Case[] {
  return rowsOf(readFileSync(join(import.meta.dirname, 'fixtures/cases.jsonl'), 'utf8'))
}

function rowsOf<T>(text: string): T[] {
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

export function folderOf(files: Readonly<Record<string, string>>): ProjectFolder {
  return createProjectFolder(Object.keys(files), path => files[path])
}
