import { type Static, Type } from 'typebox'
import { Id, Nullable, strict, Time } from './fields.ts'

const DriftPolicy = Type.Enum(['report', 'repair'])

/** What differs from what the last deployment left. `unknown`: nobody can see it now; the findings are the last known. */
const DriftFields = {
  state: Type.Enum(['none', 'drifted', 'given-up', 'unknown']),
  policy: {
    ...DriftPolicy,
    description: 'What is done about it: "drift" in the deploy file or the overrides.',
  },
  since: Nullable(Time),
}

export const DriftSummary = Type.Object(
  {
    ...DriftFields,
    findings: Type.Integer(),
    reason: Nullable(Type.String({ description: 'The first finding in words; all are at /drift.' })),
  },
  strict,
)
export type DriftSummary = Static<typeof DriftSummary>

export const DriftDocument = Type.Object(
  {
    ...DriftFields,
    findings: Type.Array(
      Type.Object(
        {
          kind: Type.String(),
          what: Type.String({ description: 'Name of the container or route.' }),
          reason: Type.String(),
          container: Nullable(Type.String({ description: 'Its id as it is now.' })),
          since: Time,
          age_seconds: Type.Integer(),
        },
        strict,
      ),
    ),
    deployment: Nullable({ ...Id, description: 'What it is compared with: what this deployment left.' }),
    repairs: Type.Integer({ description: 'Repairs requested in the last ten minutes.' }),
    given_up_at: Nullable(Time),
    observed_at: Nullable(Time),
  },
  strict,
)
export type DriftDocument = Static<typeof DriftDocument>
