import { parse } from 'yaml'

/** What a file of the repository says about the artefact. */
export interface VersionFacts {
  readonly version?: string
  readonly serviceName?: string
}

/** In these sections a TOML file says what it is the version of. */
const TOML_SECTIONS = ['project', 'package', 'tool.poetry', 'workspace.package']

/** Reads version and service name by the kind of the file, which its name tells. Nothing of it is executed. Pure. */
export function readVersionFile(path: string, text: string): VersionFacts {
  switch (/\.(json|ya?ml|toml|properties)$/i.exec(path)?.[1]?.toLowerCase()) {
    case 'json':
      return factsIn(parsedJson(text))
    case 'yaml':
    case 'yml':
      return factsIn(parsedYaml(text))
    case 'toml':
      return factsIn(readToml(text))
    case 'properties':
      return factsIn(readProperties(text))
    default:
      return onlyLine(text)
  }
}

function factsIn(value: unknown): VersionFacts {
  const { version, service_name: name } = (value ?? {}) as { version?: unknown; service_name?: unknown }
  return {
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof name === 'string' ? { serviceName: name } : {}),
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A number is taken as it is written: 1.10 is another version than 1.1. */
function parsedYaml(text: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', maxAliasCount: 0 })
  } catch {
    return undefined
  }
}

/** Only what is needed here: plain strings of the sections above. */
function readToml(text: string): unknown {
  let section = ''
  for (const line of text.split('\n')) {
    section = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line)?.[1]?.trim() ?? section
    const [, , version] = /^\s*version\s*=\s*(["'])([^"'\\]*)\1\s*(?:#.*)?$/.exec(line) ?? []
    if (version !== undefined && TOML_SECTIONS.includes(section)) {
      return { version }
    }
  }
  return undefined
}

function readProperties(text: string): unknown {
  const pairs = text.split('\n').flatMap(line => {
    const [, key, value] = /^\s*([A-Za-z_][\w.-]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined ? [] : [[key, value] as const]
  })
  return Object.fromEntries(pairs)
}

function onlyLine(text: string): VersionFacts {
  const [line, ...more] = text.split('\n').flatMap(each => each.trim() || [])
  return line === undefined || more.length > 0 ? {} : { version: line }
}
