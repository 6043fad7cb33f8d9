import { posix } from 'node:path'
import { compileGlob, type Glob, isPlain } from './docker-glob.ts'

/** The patterns of a .dockerignore in their order: the last one that matches decides. */
export interface DockerIgnore {
  /** The first line that is no pattern. */
  readonly invalid: string | undefined
  /** Whether a path is left out, given what was found for its folder (undefined at the top). */
  check(path: string, folder: IgnoreFinding | undefined): IgnoreFinding
  /** Whether a left-out folder may hold something that is not left out. */
  mayHoldKept(folder: string): boolean
}

export interface IgnoreFinding {
  readonly ignored: boolean
  /** Per pattern: it matches the path or a folder above it. */
  readonly matched: readonly boolean[]
}

interface Pattern {
  /** It begins with `!`: what matches is not left out after all. */
  readonly keeps: boolean
  readonly text: string
  readonly glob: Glob
}

/** Reads the text of a .dockerignore. */
export function parseDockerIgnore(text: string): DockerIgnore {
  const read = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap(patternOf)
  const patterns = read.filter(each => typeof each !== 'string')
  const keeping = patterns.filter(pattern => pattern.keeps)
  const onlyPlainKeeping = keeping.every(({ text }) => isPlain(withoutTrailingGlob(text)))
  return {
    invalid: read.find(each => typeof each === 'string'),
    check: (path, folder) => find(patterns, path, folder),
    mayHoldKept: folder =>
      keeping.length > 0 &&
      (!onlyPlainKeeping ||
        keeping.some(({ text }) => `${withoutTrailingGlob(text)}/`.startsWith(`${folder}/`))),
  }
}

function find(patterns: readonly Pattern[], path: string, folder: IgnoreFinding | undefined): IgnoreFinding {
  let ignored = false
  const matched = patterns.map(({ keeps, glob }, i) => {
    // A pattern that could not change the decision is not tried, as Docker does it: what lies below counts anew.
    const matches = folder?.matched[i] || (keeps === ignored && glob.matches(path))
    if (matches) {
      ignored = !keeps
    }
    return matches
  })
  return { ignored, matched }
}

/** The line itself when it is none. */
function patternOf(line: string): (Pattern | string)[] {
  // Only a # at the very start makes a comment.
  const trimmed = line.startsWith('#') ? '' : line.trim()
  if (trimmed === '') {
    return []
  }
  const keeps = trimmed.startsWith('!')
  const text = cleaned(keeps ? trimmed.slice(1).trim() : trimmed)
  const glob = compileGlob(text)
  if (text === '' || !glob) {
    return [trimmed]
  }
  return [{ keeps, text, glob }]
}

/** `./a//b/` and `/a/b` mean `a/b`. */
function cleaned(pattern: string): string {
  if (pattern === '') {
    return ''
  }
  const normal = posix.normalize(pattern).replace(/(?<=.)\/$/, '')
  return normal.length > 1 && normal.startsWith('/') ? normal.slice(1) : normal
}

function withoutTrailingGlob(text: string): string {
  return text.replace(/\/\*\*$/, '')
}
