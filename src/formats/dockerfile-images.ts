import { type Instruction, instructionsOf } from './dockerfile-instructions.ts'

/** An image that a Dockerfile names, build arguments filled in as far as they are known. */
export interface NamedImage {
  readonly name: string
  readonly by: 'FROM' | 'COPY' | 'RUN'
  readonly line: number
}

/** The images that a Dockerfile starts from, each once; not its own stages, not `scratch`, none with an unknown argument. */
export function baseImages(text: string, args: Readonly<Record<string, string>>): string[] {
  const bases = namedImages(instructionsOf(text), args).filter(({ by }) => by === 'FROM')
  return [...new Set(bases.map(({ name }) => name).filter(name => !name.includes('$')))]
}

/** All that it starts from, copies from or mounts, in order; `known` are further names of stages. */
export function namedImages(
  instructions: readonly Instruction[],
  args: Readonly<Record<string, string>>,
  known: readonly string[] = [],
): NamedImage[] {
  const values: Record<string, string> = {}
  const stages = new Set<string>(['scratch', ...known])
  let isBeforeStages = true
  const found: NamedImage[] = []
  for (const { word, rest, line } of instructions) {
    if (word === 'ARG' && isBeforeStages) {
      const [name = '', preset = ''] = splitOnce(rest.trim(), '=')
      values[name] = args[name] ?? unquoted(preset)
    }
    if (word === 'FROM') {
      isBeforeStages = false
      const [image = '', , stage] = rest
        .trim()
        .replace(/^(?:--\S+\s+)*/, '')
        .split(/\s+/)
      const name = filledIn(unquoted(image), values)
      if (!stages.has(name) && !stages.has(name.toLowerCase())) {
        found.push({ name, by: 'FROM', line })
      }
      stages.add((stage ?? '').toLowerCase())
    }
    if (word === 'COPY' || word === 'RUN') {
      for (const name of sourcesOf(word, rest)) {
        if (!stages.has(name.toLowerCase()) && !/^\d+$/.test(name)) {
          found.push({ name, by: word, line })
        }
      }
    }
  }
  return found
}

/** The names that its stages have. */
export function stagesOf(instructions: readonly Instruction[]): string[] {
  return instructions.flatMap(({ word, rest }) =>
    word === 'FROM' ? (/\sas\s+(\S+)\s*$/i.exec(rest)?.[1]?.toLowerCase() ?? []) : [],
  )
}

/** `--from=IMAGE` of COPY, `--mount=…,from=IMAGE` of RUN. */
function sourcesOf(word: 'COPY' | 'RUN', rest: string): string[] {
  const flags = flagsOf(rest)
  const sign = word === 'COPY' ? /^--from=(.+)$/i : /^--mount=(?:.*,)?from=([^,]+)/i
  return flags.flatMap(flag => sign.exec(flag)?.[1] ?? [])
}

/** The flags of an instruction (`--mount=type=bind,…`) as the builder reads them, without quotes. */
export function flagsOf(rest: string): string[] {
  const [written = ''] = /^(?:\s*--(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])*)*/.exec(rest) ?? []
  return written
    .replace(/["'\\]/g, '')
    .split(/\s+(?=--)/)
    .map(flag => flag.trim())
    .filter(flag => flag !== '')
}

/** `$NAME`, `${NAME}` and `${NAME:-preset}`. */
function filledIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (whole, braced, preset, plain) => {
    const value = values[braced ?? plain]
    return value || preset || whole
  })
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2')
}
