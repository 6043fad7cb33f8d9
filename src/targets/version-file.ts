import { parse } from 'yaml'
import { parseToml, tableIn, textIn } from '#formats/toml.ts'

/** What a file of the repository says about the artefact. */
export interface VersionFacts {
  readonly version?: string
  readonly serviceName?: string
}

/** Where a TOML file says its version: of a Python project, a crate, a workspace, or at the top. */
const TOML_TABLES = [['project'], ['tool', 'poetry'], ['package'], ['workspace', 'package'], []]

/** Reads version and service name by the kind of the file, which its name tells. Nothing of it is executed. Pure. */
export function readVersionFile(path: string, text: string): VersionFacts {
  switch (/\.(json|ya?ml|toml|properties)$/i.exec(path)?.[1]?.toLowerCase()) {
    case 'json':
      return factsIn(parsedJson(text))
    case 'yaml':
    case 'yml':
      return factsIn(parsedYaml(text))
    case 'toml':
      return readToml(text)
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

function readToml(text: string): VersionFacts {
  try {
    const file = parseToml(text)
    const tables = TOML_TABLES.map(path => path.reduce(tableIn, file))
    return factsIn(tables.find(table => textIn(table, 'version') !== undefined))
  } catch {
    return {}
  }
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
