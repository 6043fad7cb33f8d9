import { flagsOf, namedImages, stagesOf } from '#formats/dockerfile-images.ts'
import { type Instruction, instructionsOf } from '#formats/dockerfile-instructions.ts'
import { parseReference } from '#formats/image-reference.ts'
import type { Finding } from './finding.ts'

const MAX_BYTES = 256 * 1024
const MAX_STAGES = 50

export interface DockerfileRules {
  /** Registry hosts whose images may be used; empty means any. */
  readonly registries: readonly string[]
  /** Build arguments. */
  readonly args: Readonly<Record<string, string>>
}

type Problem = Pick<Finding, 'rule' | 'line' | 'path' | 'message' | 'fix'>

/**
 * POL070, POL101 to POL104: what a Dockerfile may ask of the builder. Light on purpose: the builder itself is the
 * sandbox. What can be read in two ways is read in both, so it may refuse more than it must, never less.
 */
export function checkDockerfile(
  file: string,
  text: string,
  { registries, args }: DockerfileRules = { registries: [], args: {} },
): Finding[] {
  const error = (problem: Problem): Finding => ({ severity: 'error', file, column: 1, ...problem })
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return [
      error({ rule: 'POL104', line: 1, path: file, message: 'it is larger than 256 KiB.', fix: 'Split it.' }),
    ]
  }
  const readings = readingsOf(text)
  const stages = readings[0]?.filter(({ word }) => word === 'FROM').length ?? 0
  const found = [
    ...checkFrontend(file, text),
    ...checkArguments(args).map(error),
    ...readings.flat().flatMap(each => problemsOf(each).map(error)),
    ...(registries.length === 0 ? [] : checkImages(readings, { registries, args }).map(error)),
  ]
  if (stages > MAX_STAGES) {
    const message = `it has ${stages} stages, more than ${MAX_STAGES}.`
    found.push(error({ rule: 'POL104', line: 1, path: 'FROM', message, fix: 'Use fewer.' }))
  }
  const seen = new Set<string>()
  return found.filter(({ rule, line, path }) => {
    const key = `${rule} ${line} ${path}`
    return !seen.has(key) && seen.add(key)
  })
}

/**
 * The instructions by each of the two escape characters, and each line as one of its own: where lines are continued
 * depends on a directive, on here-documents and on the version of the builder.
 */
function readingsOf(text: string): Instruction[][] {
  const lines = text.split('\n').map((line, index) => ({ line: index + 1, text: line.trim() }))
  const alone = lines.flatMap(({ line, text: each }) =>
    instructionsOf(each.replace(/[\\`]+$/, '')).map(instruction => ({ ...instruction, line })),
  )
  return [instructionsOf(text), instructionsOf(text, '`'), instructionsOf(text, '\\'), alone]
}

function problemsOf({ word, rest, line }: Instruction): Problem[] {
  if (word === 'ONBUILD') {
    const [inner] = instructionsOf(rest)
    return inner ? problemsOf({ ...inner, line }) : []
  }
  if (word === 'RUN' && flagsOf(rest).some(asksTooMuch)) {
    return [
      {
        ...{ rule: 'POL102', line, path: word, fix: 'Remove the option.' },
        message: `"RUN ${rest.split(/\s/)[0]}" gives a build more than it may have.`,
      },
    ]
  }
  if (word === 'ADD') {
    const words = rest.replace(/["'\\]/g, '')
    const remote =
      /(?:^|[\s[,])(?:[a-z][a-z0-9+.-]*:\/\/|[\w.-]+@[\w.-]+:)/i.test(words) ||
      /(?:^|[\s[,])github\.com\//i.test(words)
    const unknown = /(?:^|[\s[,])\$/.test(words.replace(/^(?:--\S+\s+)+/, ''))
    if (remote || unknown) {
      return [
        {
          ...{ rule: 'POL103', line, path: word },
          message: remote
            ? '"ADD" of a remote address is not allowed.'
            : '"ADD" of a variable may be a remote address and is not allowed.',
          fix: remote
            ? 'Commit the file, or download it in a RUN with its checksum.'
            : 'Use "COPY", or write the path itself.',
        },
      ]
    }
  }
  return []
}

/** Written with a variable, an option may become anything. */
function asksTooMuch(flag: string): boolean {
  return (
    /^--security=(?!sandbox$)/i.test(flag) ||
    /^--network=(?!(?:default|none)$)/i.test(flag) ||
    /^--device\b/i.test(flag) ||
    /^--mount=.*\btype=(?:ssh|[^,]*\$)/i.test(flag)
  )
}

function checkImages(
  readings: readonly (readonly Instruction[])[],
  { registries, args }: DockerfileRules,
): Problem[] {
  const stages = readings.flatMap(stagesOf)
  const named = readings.flatMap(reading => namedImages(reading, args, stages))
  return named.flatMap(({ name, by, line }) => {
    if (name === '') {
      return []
    }
    const host = name.includes('$') ? undefined : (parseReference(name)?.host ?? 'docker.io')
    if (host !== undefined && registries.includes(host)) {
      return []
    }
    return {
      ...{ rule: 'POL070', line, path: by },
      message:
        host === undefined
          ? `"${by} ${name}" depends on an argument without a value, so its registry cannot be checked.`
          : `registry "${host}" is not in the allow-list.`,
      fix: `Use an image of ${registries.join(', ')}, or have the administrator add it.`,
    }
  })
}

function checkArguments(args: Readonly<Record<string, string>>): Problem[] {
  return Object.keys(args)
    .filter(name => name.toUpperCase() === 'BUILDKIT_SYNTAX')
    .map(name => ({
      ...{ rule: 'POL101', line: 1, path: name, fix: 'Remove it.' },
      message: `the build argument "${name}" replaces the program that reads the Dockerfile.`,
    }))
}

function checkFrontend(file: string, text: string): Finding[] {
  const syntax = frontend(text)
  if (!syntax) {
    return []
  }
  const known = /^docker\/dockerfile(?::1(?:[.-][\w.-]+)?)?(?:@sha256:[0-9a-f]{64})?$/.test(syntax.image)
  return [
    {
      ...{ rule: 'POL101', file, line: syntax.line, column: 1, path: 'syntax', fix: 'Remove the line.' },
      severity: known ? 'warning' : 'error',
      message: known
        ? `"# syntax=${syntax.image}" makes every build ask Docker Hub.`
        : `"# syntax=${syntax.image}" replaces the program that reads the Dockerfile and is not allowed.`,
    },
  ]
}

/** The parser directive; only comments may stand above it. A file may also be JSON with a key "syntax". */
function frontend(text: string): { image: string; line: number } | undefined {
  for (const [index, line] of text.split('\n').entries()) {
    const directive = /^\s*(?:#|\/\/)\s*syntax\s*=\s*(\S+)/i.exec(line)
    if (directive?.[1]) {
      return { image: directive[1], line: index + 1 }
    }
    if (/^\s*\{/.test(line)) {
      return { image: '{…}', line: index + 1 }
    }
    if (line.trim() !== '' && !/^\s*(?:#|\/\/)/.test(line)) {
      return undefined
    }
  }
  return undefined
}
