import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { WEB_PACKAGES } from '#architecture.ts'

const FILES = (readdirSync(import.meta.dirname, { recursive: true }) as string[])
  .filter(path => /\.(?:ts|vue)$/.test(path) && !path.endsWith('.test.ts'))
  .sort()
const SOURCES = FILES.map(path => ({
  path,
  text: readFileSync(join(import.meta.dirname, path), 'utf8'),
}))

test('of the sources the web interface takes only types, and only of the contract', () => {
  const wrong = SOURCES.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(line => !isAllowed(line))
      .map(line => `${path}: ${line.statement}`),
  )
  assert.deepEqual(wrong, [])
})

test('T18 no template and no script of the web interface takes text as HTML or as code', () => {
  const wrong = SOURCES.filter(({ text }) =>
    /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/.test(text),
  )
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  )
})

test('a link of the web interface that leads elsewhere tells nobody where it came from', () => {
  const wrong = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/<a\b[^>]*target="_blank"[^>]*>/g)]
      .filter(([link]) => !link.includes('rel="noopener noreferrer"'))
      .map(([link]) => `${path}: ${link}`),
  )
  assert.deepEqual(wrong, [])
})

test('files of the web interface stay readable: 250 lines', () => {
  const long = SOURCES.filter(({ text }) => text.split('\n').length > 251)
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  )
})

interface Import {
  readonly statement: string
  readonly from: string
  readonly isType: boolean
}

function importsOf(text: string): Import[] {
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )
  return [...found].map(each => ({
    statement: each[0],
    from: each[2] ?? each[3] ?? each[4] ?? '',
    isType: each[1] !== undefined,
  }))
}

function isAllowed({ from, isType }: Import): boolean {
  if (from.startsWith('#contract/')) {
    return isType
  }
  if (from.startsWith('./') || from.startsWith('#web/')) {
    return true
  }
  const parts = from.split('/')
  return WEB_PACKAGES.includes(from.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? ''))
}
