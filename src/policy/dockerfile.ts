import { instructionsOf } from '#formats/dockerfile-instructions.ts'
import type { Finding } from './finding.ts'

const MAX_BYTES = 256 * 1024
const MAX_STAGES = 50

/** POL101 to POL104: what a Dockerfile may ask of the builder. Light on purpose: the builder itself is the sandbox. */
export function checkDockerfile(file: string, text: string): Finding[] {
  const found: Finding[] = []
  const add = (
    severity: Finding['severity'],
    rule: string,
    words: Pick<Finding, 'line' | 'message' | 'fix' | 'path'>,
  ) => {
    found.push({ rule, severity, file, column: 1, ...words })
  }
  if (Buffer.byteLength(text) > MAX_BYTES) {
    add('error', 'POL104', { line: 1, path: file, message: 'it is larger than 256 KiB.', fix: 'Split it.' })
    return found
  }
  const syntax = frontend(text)
  if (syntax) {
    const known = /^docker\/dockerfile(?::1(?:[.-][\w.-]+)?)?(?:@sha256:[0-9a-f]{64})?$/.test(syntax.image)
    add(known ? 'warning' : 'error', 'POL101', {
      line: syntax.line,
      path: 'syntax',
      message: known
        ? `"# syntax=${syntax.image}" makes every build ask Docker Hub.`
        : `"# syntax=${syntax.image}" replaces the program that reads the Dockerfile and is not allowed.`,
      fix: 'Remove the line.',
    })
  }
  const instructions = instructionsOf(text)
  for (const { word, rest, line } of instructions) {
    const problem = problemOf(word, rest)
    if (problem) {
      add('error', problem.rule, { line, path: word, message: problem.message, fix: problem.fix })
    }
  }
  const stages = instructions.filter(({ word }) => word === 'FROM').length
  if (stages > MAX_STAGES) {
    add('error', 'POL104', {
      line: 1,
      path: 'FROM',
      message: `it has ${stages} stages, more than ${MAX_STAGES}.`,
      fix: 'Use fewer.',
    })
  }
  return found
}

function problemOf(word: string, rest: string): { rule: string; message: string; fix: string } | undefined {
  if (word === 'RUN' && /^(?:--\S+\s+)*--(?:security=insecure|network=host|mount=\S*type=ssh)\b/.test(rest)) {
    return {
      rule: 'POL102',
      message: `"RUN ${rest.split(/\s/)[0]}" gives a build more than it may have.`,
      fix: 'Remove the option.',
    }
  }
  if (word === 'ADD' && /(?:^|[\s"'[,])(?:https?:\/\/|ftp:\/\/|git:\/\/|ssh:\/\/|git@)/i.test(rest)) {
    return {
      rule: 'POL103',
      message: '"ADD" of a remote address is not allowed.',
      fix: 'Commit the file, or download it in a RUN with its checksum.',
    }
  }
  return undefined
}

/** The parser directive; only comments may stand above it. */
function frontend(text: string): { image: string; line: number } | undefined {
  for (const [index, line] of text.split('\n').entries()) {
    const directive = /^\s*(?:#|\/\/)\s*syntax\s*=\s*(\S+)/i.exec(line)
    if (directive?.[1]) {
      return { image: directive[1], line: index + 1 }
    }
    if (line.trim() !== '' && !/^\s*(?:#|\/\/)/.test(line)) {
      return undefined
    }
  }
  return undefined
}
