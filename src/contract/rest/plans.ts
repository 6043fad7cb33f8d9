import { type Static, Type } from 'typebox'
import { ArtifactVersion } from './apps.ts'
import { Commit, strict } from './fields.ts'

export const PlanBody = Type.Object({ commit: Type.Optional(Commit), version: ArtifactVersion }, strict)

/** One line of the diff. Environment variables by their names, never their values. */
export const ChangeDocument = Type.Object(
  {
    kind: Type.String(),
    what: Type.String(),
    from: Type.Optional(Type.String({ description: 'What it is now, for example the id of an image.' })),
    to: Type.Optional(Type.String()),
    why: Type.Optional(Type.String()),
  },
  strict,
)
export type ChangeDocument = Static<typeof ChangeDocument>

export const PlanDocument = Type.Object(
  {
    hash: Type.String(),
    commit: Type.String(),
    commit_subject: Type.String(),
    nothing_to_do: Type.Boolean(),
    changes: Type.Array(ChangeDocument),
    plan: Type.Unknown({ description: 'The exact commands by step, secret values replaced.' }),
  },
  strict,
)
export type PlanDocument = Static<typeof PlanDocument>
