import { BRANCH_NAME_REFUSED, REPOSITORY_PATH_REFUSED } from './git-errors.ts'

const MOST_BRANCH_BYTES = 200
const MOST_PATH_BYTES = 1024

/** The branch name, if git would accept it (the rules of git-check-ref-format) and it cannot be read as an option. */
export function checkedBranch(name: string): string {
  const problem = problemOfBranch(name)
  if (problem) {
    throw BRANCH_NAME_REFUSED(problem)
  }
  return name
}

function problemOfBranch(name: string): string | undefined {
  if (name === '' || Buffer.byteLength(name) > MOST_BRANCH_BYTES) {
    return name === '' ? 'it is empty' : `it is longer than ${MOST_BRANCH_BYTES} bytes`
  }
  if (name.startsWith('-')) {
    return 'it starts with "-"'
  }
  if (/[\p{Cc}\p{Cf}\p{Z}~^:?*[\\]/u.test(name)) {
    return 'it contains a space, a control character or one of ~ ^ : ? * [ \\'
  }
  if (name.includes('..') || name.includes('@{') || name === '@' || name === 'HEAD') {
    return 'it contains ".." or "@{", or is "@" or "HEAD"'
  }
  const parts = name.split('/')
  if (
    parts.some(part => part === '' || part.startsWith('.') || part.endsWith('.') || part.endsWith('.lock'))
  ) {
    return 'one of its parts is empty, starts or ends with ".", or ends with ".lock"'
  }
  return undefined
}

/** The path, if it is relative to the root of a repository and cannot leave it. `.` is the root itself. */
export function checkedPath(path: string): string {
  const problem = problemOfPath(path)
  if (problem) {
    throw REPOSITORY_PATH_REFUSED(path.slice(0, 200), problem)
  }
  return path
}

function problemOfPath(path: string): string | undefined {
  if (path === '' || Buffer.byteLength(path) > MOST_PATH_BYTES) {
    return path === '' ? 'it is empty' : `it is longer than ${MOST_PATH_BYTES} bytes`
  }
  if (/[\p{Cc}\\]/u.test(path)) {
    return 'it contains a control character or a backslash'
  }
  if (path === '.') {
    return undefined
  }
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    return 'it is absolute, or one of its parts is empty, "." or ".."'
  }
  if (parts.some(part => part.toLowerCase() === '.git')) {
    return 'it names ".git"'
  }
  return undefined
}
