import { TARGETS } from '#targets/index.ts'
import { deployFileSchema } from './schema.ts'

/** The text of the JSON Schema by which editors complete and check a deploy file. */
export function deployFileJsonSchema(targets = TARGETS): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Fairlead deploy file (fairlead.yaml)',
    ...deployFileSchema(targets),
  }
  return JSON.stringify(schema, null, 2)
}
