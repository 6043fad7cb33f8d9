import type { Problem } from '#lib/errors.ts'
import { checkOptions, type OptionValue } from './check-options.ts'
import type { Shelf } from './convention.ts'
import { type Parameterised, parametersOf, type ReadConfig } from './convention-config.ts'
import { optionsFileOf } from './convention-files.ts'
import { type OptionsSchema, readDescribedOptions } from './options-schema.ts'

/** What a stack's Compose files get. */
export interface ChosenOptions {
  readonly environment: Readonly<Record<string, OptionValue>>
  /** Where the options are described, whether or not they are: a description that comes or goes changes what runs. */
  readonly path: string
  readonly problems: readonly Problem[]
}

/** The file of a stack, as far as it chooses options. */
export type Choice = Pick<ReadConfig<Parameterised>, 'config' | 'problemAt'>

/**
 * The options that a stack's file gives, and the defaults of the others, by the file beside its definition. What that
 * describes is checked, also in files that people wrote; what it does not name is left to Compose.
 */
export function chooseOptions(
  definition: string,
  { config = {}, problemAt }: Choice,
  shelf: Shelf,
): ChosenOptions {
  const given = parametersOf(config)
  const path = optionsFileOf(definition)
  if (!shelf.paths.has(path)) {
    return { environment: given, path, problems: [] }
  }
  const text = shelf.texts[path]
  if (text === undefined) {
    const expected = 'a text file of at most 256 KiB, no symbolic link'
    return failed(path, [{ path: '', message: 'could not be read', expected, file: path }])
  }
  const { schema, problems: wrong } = readDescribedOptions({ file: path, text })
  if (wrong.length > 0) {
    return failed(path, wrong)
  }
  const described = Object.entries(given).filter(([name]) => Object.hasOwn(schema.properties, name))
  const { parameters, problems } = checkOptions(withoutPatterns(schema), Object.fromEntries(described))
  const placed = problems.map(({ path: name, message, expected = '' }) => {
    const index = (config.parameters ?? []).findLastIndex(each => each.name === name)
    const at = index === -1 ? ['parameters'] : ['parameters', index, 'value']
    return problemAt(at, `${name} ${message}`, expected)
  })
  return placed.length > 0
    ? failed(path, placed)
    : { environment: { ...parameters, ...given }, path, problems: [] }
}

function failed(path: string, problems: readonly Problem[]): ChosenOptions {
  return { environment: {}, path, problems }
}

/** A stranger's pattern may take a second, and every push reads this: only the API compares with them. */
function withoutPatterns(schema: OptionsSchema): OptionsSchema {
  const properties = Object.entries(schema.properties).map(([name, { pattern: _, ...rule }]) => [name, rule])
  return { ...schema, properties: Object.fromEntries(properties) }
}
