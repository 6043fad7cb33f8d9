import type { Claims } from '#targets/claims.ts'
import { mergedOf } from './yaml-merge.ts'
import { readYaml } from './yaml-text.ts'

export interface ClaimsQuestion {
  /** Paths of the Compose files. */
  readonly files: readonly string[]
  readonly texts: Readonly<Record<string, string>>
  /** Values of variables, `$NAME` for a secret; undefined: nobody knows them. */
  readonly environment: Readonly<Record<string, unknown>> | undefined
}

const MOST_PORTS = 1_000
const VARIABLE = /\$\{(\w+)(?::?-([^${}]*))?\}|\$(\w+)/g
const SHORT = /^(?:[\d.]+:)?(\d+)(?:-(\d+))?:\d+(?:-\d+)?(?:\/(tcp|udp|sctp))?$/
/** The engine chooses the port. */
const UNPUBLISHED = /^\d+(?:-\d+)?(?:\/\w+)?$/

/**
 * What Compose files ask for, as far as they say it by themselves: for a stack that nobody could render. Undefined when a
 * text is not there, is no YAML, or takes in others that nobody read.
 */
export function composeClaims({ files, texts, environment }: ClaimsQuestion): Claims | undefined {
  const ports: (readonly string[] | undefined)[] = []
  const services: string[] = []
  for (const file of files) {
    const text = Object.hasOwn(texts, file) ? texts[file] : undefined
    const model = text === undefined ? undefined : mergedOf(readYaml(text).value)
    const group = model && mergedOf(model.services ?? {})
    if (!model || !group || Object.hasOwn(model, 'include')) {
      return undefined
    }
    for (const [name, value] of Object.entries(group)) {
      const service = mergedOf(value ?? {})
      if (!service || takesFromFile(service.extends)) {
        return undefined
      }
      services.push(name)
      ports.push(...[service.ports ?? []].flat().map(each => publishedBy(each, environment)))
    }
  }
  const isKnown = ports.every(each => each !== undefined)
  return { services, ports: isKnown ? [...new Set(ports.flat())] : undefined }
}

/** Of a service of the same file the ports are known anyway. */
function takesFromFile(base: unknown): boolean {
  return base !== undefined && typeof base !== 'string' && mergedOf(base)?.file !== undefined
}

function publishedBy(
  value: unknown,
  environment: ClaimsQuestion['environment'],
): readonly string[] | undefined {
  const long = mergedOf(value)
  if (long && (long.published ?? '') === '') {
    return []
  }
  const written = long ? `${long.published}:${long.target}/${long.protocol ?? 'tcp'}` : String(value)
  const text = filledIn(written, environment)
  if (text === undefined || UNPUBLISHED.test(text)) {
    return text === undefined ? undefined : []
  }
  const [, from, to = from, protocol = 'tcp'] = SHORT.exec(text) ?? []
  const count = Number(to) - Number(from) + 1
  return count >= 1 && count <= MOST_PORTS
    ? Array.from({ length: count }, (_, index) => `${Number(from) + index}/${protocol}`)
    : undefined
}

/** Undefined where a value is not known. */
function filledIn(text: string, environment: ClaimsQuestion['environment']): string | undefined {
  if (!text.includes('$') || !environment) {
    return text.includes('$') ? undefined : text
  }
  const filled = text.replace(VARIABLE, (whole, braced, fallback, plain) =>
    String(environment[braced ?? plain] ?? fallback ?? whole),
  )
  return filled.includes('$') ? undefined : filled
}
