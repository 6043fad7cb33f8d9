import type { StackDefinitionDocument } from '#contract/rest/stacks.ts'
import type { Schema } from '#web/form/schema.ts'

/** What a form for the options of a stack is made from: those of its definition, and those that its file sets besides. */
export function optionSchema(
  definition: StackDefinitionDocument | undefined,
  options: Readonly<Record<string, unknown>> = {},
): Schema {
  const own = (definition?.options ?? {}) as Schema
  const unknown = Object.keys(options).filter(name => own.properties?.[name] === undefined)
  return {
    ...own,
    properties: { ...own.properties, ...Object.fromEntries(unknown.map(name => [name, { type: 'string' }])) },
  }
}

export type Definitions = readonly StackDefinitionDocument[]
