import { type Static, Type } from 'typebox'
import { Commit, Id, strict } from './fields.ts'

const Entry = Type.Union([
  Type.Object({ result: Type.String() }, strict),
  Type.Object({ warning: Type.String() }, strict),
  Type.Object({ error: Type.String() }, strict),
])

/** `result.json` of a CI job: by app what was done, what is worth knowing, and what failed. */
export const ResultDocument = Type.Record(Type.String(), Type.Array(Entry))
export type ResultDocument = Static<typeof ResultDocument>

/** How all that a commit of a repository asked for went. */
export const CommitResult = Type.Object(
  {
    commit: Commit,
    state: Type.Enum(['none', 'running', 'waiting', 'succeeded', 'failed', 'superseded'], {
      description:
        '"none": nothing was deployed from this commit, or not yet; "failed": a deployment failed or was cancelled; "waiting": one waits for an approval, or its app is paused, and all others succeeded; "superseded": newer commits took over all of them. Removals that the commit led to count too.',
    }),
    deployments: Type.Array(Id),
    result: ResultDocument,
  },
  strict,
)
export type CommitResult = Static<typeof CommitResult>
