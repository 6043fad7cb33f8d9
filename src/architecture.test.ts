import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { test } from 'node:test'
import { CAPABILITIES, FOLDERS } from './architecture.ts'
import { COMMANDS } from './commands/index.ts'
import { GIT_HOSTS } from './git-hosts/index.ts'
import { OWN_TARGETS, TARGETS } from './targets/index.ts'

interface Import {
  readonly line: number
  readonly from: string
  readonly typeOnly: boolean
}

interface Source {
  readonly path: string
  readonly lines: readonly string[]
  readonly imports: readonly Import[]
}

const FILES = (readdirSync(import.meta.dirname, { recursive: true }) as string[])
  .filter(path => path.endsWith('.ts') && !path.startsWith('architecture'))
  .sort()
const SOURCES = FILES.map(readSource)
/** Without tests and what only tests use: files called test-…. */
const PROGRAM_FILES = SOURCES.filter(({ path }) => !path.endsWith('.test.ts') && !/(^|\/)test-/.test(path))

test('every folder is in the import table', () => {
  const folders = new Set(FILES.map(folderOf))
  assert.deepEqual(
    [...folders].filter(folder => !(folder in FOLDERS)),
    [],
  )
})

test('every import line is allowed by the import table', () => {
  const wrong = PROGRAM_FILES.flatMap(source =>
    source.imports
      .filter(found => !isAllowed(source.path, found))
      .map(found => `${source.path}:${found.line} ${found.from}`),
  )
  assert.deepEqual(wrong, [])
})

test('no import climbs out of its folder with ../', () => {
  const climbing = SOURCES.flatMap(source =>
    source.imports.filter(found => found.from.startsWith('../')).map(found => `${source.path}:${found.line}`),
  )
  assert.deepEqual(climbing, [])
})

test('files do not import each other in a circle', () => {
  assert.deepEqual(findCircles(), [])
})

for (const { what, sign, allowed } of CAPABILITIES) {
  test(`only ${allowed.join(', ')} may ${what}`, () => {
    const users = PROGRAM_FILES.filter(
      ({ path }) => !allowed.some(pattern => matches(pattern, path)),
    ).flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        sign.test(line) && !isComment(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
    )
    assert.deepEqual(users, [])
  })
}

test('files stay readable: 250 lines, tests 400', () => {
  const long = SOURCES.filter(
    ({ path, lines }) => lines.length > (/\.test\.ts$|migrations\//.test(path) ? 400 : 250),
  )
  assert.deepEqual(
    long.map(({ path, lines }) => `${path} ${lines.length}`),
    [],
  )
})

test('no file is called after nothing in particular', () => {
  assert.deepEqual(
    FILES.filter(path => /(^|[/-])(utils?|helpers?|common|misc|types)([.-]|\/)/.test(path)),
    [],
  )
})

test('no comment leaves work behind without a reason', () => {
  const left = SOURCES.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (/\b(TODO|FIXME|XXX|HACK)\b/.test(line) ? [`${path}:${index + 1}`] : [])),
  )
  assert.deepEqual(left, [])
})

test('the target registry holds exactly the target files', () => {
  assert.deepEqual(
    names([...TARGETS, ...OWN_TARGETS]),
    definedIn('targets', /defineTarget\(\{\s*name: '([^']+)'/g),
  )
})

test('the git host registry holds exactly the git host files', () => {
  assert.deepEqual(names(GIT_HOSTS), definedIn('git-hosts', /defineGitHost\(\{\s*name: '([^']+)'/g))
})

test('the command registry holds exactly the commands that are defined', () => {
  assert.deepEqual(
    names(COMMANDS),
    definedIn('commands', /define(?:Command|SystemChange)\(\{\s*name: '([^']+)'/g),
  )
})

function names(registry: readonly { readonly name: string }[]): string[] {
  return registry.map(item => item.name).sort()
}

function definedIn(folder: string, definition: RegExp): string[] {
  return PROGRAM_FILES.filter(({ path }) => path.startsWith(`${folder}/`))
    .flatMap(({ lines }) => [...lines.join('\n').matchAll(definition)].map(found => found[1] ?? ''))
    .sort()
}

function readSource(path: string): Source {
  const text = readFileSync(join(import.meta.dirname, path), 'utf8')
  const lines = text.replace(/\n$/, '').split('\n')
  const imports: Import[] = []
  for (const found of text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )) {
    const line = text.slice(0, found.index).split('\n').length
    imports.push({ line, from: found[2] ?? found[3] ?? '', typeOnly: found[1] !== undefined })
  }
  return { path, lines, imports }
}

function isAllowed(path: string, { from }: Import): boolean {
  if (from.startsWith('./') || from.startsWith('node:')) {
    return true
  }
  const rule = FOLDERS[folderOf(path)]
  if (!rule) {
    return false
  }
  if (!from.startsWith('#')) {
    const parts = from.split('/')
    return rule.packages.includes(from.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? ''))
  }
  const target = from.slice(1)
  const own = folderOf(target) === folderOf(path)
  return own || rule.imports.some(allowed => target === allowed || target.startsWith(`${allowed}/`))
}

/** Type-only imports may form circles: they vanish before the program runs. */
function findCircles(): string[] {
  const graph = new Map(
    SOURCES.map(({ path, imports }) => [
      path,
      imports.filter(found => !found.typeOnly).flatMap(found => resolved(path, found.from)),
    ]),
  )
  const circles = new Set<string>()
  const state = new Map<string, 'open' | 'closed'>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'open') {
      circles.add([...trail.slice(trail.indexOf(path)), path].join(' -> '))
      return
    }
    if (state.has(path)) {
      return
    }
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) {
      visit(next, [...trail, path])
    }
    state.set(path, 'closed')
  }
  for (const path of graph.keys()) {
    visit(path, [])
  }
  return [...circles]
}

function resolved(path: string, from: string): string[] {
  if (from.startsWith('#')) {
    return [from.slice(1)]
  }
  return from.startsWith('./') ? [posix.join(dirname(path), from)] : []
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function matches(pattern: string, path: string): boolean {
  const expression = pattern
    .split('/')
    .map(part => (part === '**' ? '.+' : part.replaceAll('.', '\\.').replaceAll('*', '[^/]+')))
    .join('/')
  return new RegExp(`^${expression}$`).test(path)
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\*|\/\*)/.test(line)
}
