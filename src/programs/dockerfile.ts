import { instructionsOf } from '#formats/dockerfile-instructions.ts'

/** The images that a Dockerfile starts from, each once, with build arguments filled in; not its own stages, not `scratch`. */
export function baseImages(text: string, args: Readonly<Record<string, string>>): string[] {
  const values: Record<string, string> = {}
  const stages = new Set<string>(['scratch'])
  const found = new Set<string>()
  for (const { word, rest } of instructionsOf(text)) {
    if (word === 'ARG' && stages.size === 1) {
      const [name = '', preset = ''] = splitOnce(rest.trim(), '=')
      values[name] = args[name] ?? unquoted(preset)
    }
    if (word === 'FROM') {
      const [image = '', , stage] = rest
        .trim()
        .replace(/^(?:--\S+\s+)*/, '')
        .split(/\s+/)
      const name = filledIn(image, values)
      if (!stages.has(name) && !name.includes('$')) {
        found.add(name)
      }
      stages.add((stage ?? '').toLowerCase())
    }
  }
  return [...found]
}

/** The first TCP port of the last stage that EXPOSE names as a number. */
export function exposedPort(text: string): number | undefined {
  let port: number | undefined
  for (const { word, rest } of instructionsOf(text)) {
    if (word === 'FROM') {
      port = undefined
    }
    if (word === 'EXPOSE' && port === undefined) {
      const first = rest.split(/\s+/).find(each => /^\d{1,5}(?:\/tcp)?$/i.test(each))
      const number = Number.parseInt(first ?? '', 10)
      port = number >= 1 && number <= 65_535 ? number : undefined
    }
  }
  return port
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
