import { parse } from 'yaml'
import { parseToml, TomlFault, type TomlTable, tableIn, textIn } from '#formats/toml.ts'
import { Refusal } from './diagnostic.ts'

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The parser needs seconds for more. */
const MAX_ENVIRONMENT = 256 * 1024

/** An environment.yml as plain data; empty when nothing is in it. */
export function readEnvironmentFile(text: string, file: string): Mapping {
  if (text.length > MAX_ENVIRONMENT) {
    const hint = 'Move what is not needed out of it; exact versions belong into conda-lock.yml.'
    throw new Refusal({ code: 'ENV_YML', file, message: 'It is larger than 256 KiB.', hint })
  }
  let value: unknown
  try {
    value = parse(text, { logLevel: 'silent' }) ?? {}
  } catch (error) {
    const { message, linePos } = error as { message: string; linePos?: readonly { line: number }[] }
    throw new Refusal({
      code: 'ENV_YML',
      file,
      ...(linePos?.[0] ? { line: linePos[0].line } : {}),
      message: `It is not YAML: ${message.split('\n')[0]}`,
      hint: 'Correct it; "conda env create --dry-run" checks it too.',
    })
  }
  if (!isMapping(value)) {
    throw new Refusal({
      code: 'ENV_YML',
      file,
      line: 1,
      message: 'It holds no keys.',
      hint: 'Write "dependencies:" with a list below it.',
    })
  }
  return value
}

export function dependenciesOf(environment: Mapping): readonly unknown[] {
  return Array.isArray(environment.dependencies) ? environment.dependencies : []
}

/** The `pip:` lists among the dependencies, in their order. */
export function pipListsOf(environment: Mapping): readonly (readonly string[])[] {
  return dependenciesOf(environment).flatMap(each =>
    isMapping(each) && Array.isArray(each.pip)
      ? [each.pip.filter(line => typeof line === 'string')]
      : isMapping(each) && each.pip
        ? [[]]
        : [],
  )
}

/** The version of Python that an environment.yml pins: `3`, `3.11` or `3.12.1`. */
export function pythonOfEnvironment(environment: Mapping): string | undefined {
  for (const dependency of dependenciesOf(environment)) {
    const pinned = typeof dependency === 'string' ? /^python\s*=+\s*([\d.]*)/.exec(dependency) : undefined
    if (pinned) {
      return pinned[1]?.slice(0, 20).replace(/\.+$/, '') || undefined
    }
  }
  return undefined
}

export function readTomlFile(text: string, file: string, code: string): TomlTable {
  try {
    return parseToml(text)
  } catch (error) {
    if (error instanceof TomlFault) {
      throw new Refusal({
        code,
        file,
        line: error.line,
        message: `It is not TOML: ${error.message}.`,
        hint: 'Correct it.',
      })
    }
    throw error
  }
}

export function readJsonFile(text: string, file: string, code: string): Mapping {
  try {
    const value: unknown = JSON.parse(text)
    return isMapping(value) ? value : {}
  } catch (error) {
    throw new Refusal({
      code,
      file,
      message: `It is not JSON: ${(error as Error).message.split('\n')[0]}`,
      hint: 'Make it again with the tool that wrote it.',
    })
  }
}

/** The versions of Python that a Pipfile.lock and a Pipfile ask for, whole ones first. */
export function pythonOfPipfile(
  lock: Mapping | undefined,
  pipfile: TomlTable | undefined,
): string | undefined {
  const meta = lock && isMapping(lock._meta) ? lock._meta : {}
  const locked = isMapping(meta.requires) ? meta.requires : {}
  const written = pipfile ? tableIn(pipfile, 'requires') : {}
  for (const requires of [locked, written]) {
    for (const key of ['python_full_version', 'python_version']) {
      const version = /^\d+(?:\.\d+)*/.exec(String(requires[key] ?? ''))?.[0]
      if (version !== undefined) {
        return version
      }
    }
  }
  return undefined
}

export function requiredPython(pyproject: TomlTable | undefined): string | undefined {
  return pyproject && textIn(tableIn(pyproject, 'project'), 'requires-python')
}
