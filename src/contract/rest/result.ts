import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

const Entry = Type.Union([
  Type.Object({ result: Type.String() }, strict),
  Type.Object({ warning: Type.String() }, strict),
  Type.Object({ error: Type.String() }, strict),
])

/** `result.json` of a CI job: by app what was done, what is worth knowing, and what failed. */
export const ResultDocument = Type.Record(Type.String(), Type.Array(Entry))
export type ResultDocument = Static<typeof ResultDocument>
