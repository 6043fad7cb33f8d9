import { type Static, Type } from 'typebox'
import { WireErrorSchema } from '#contract/agent-frames.ts'
import { strict } from './fields.ts'

/** Every answer that is no success: RFC 9457 (application/problem+json). */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: 'urn:fairlead:error:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; all codes are described in docs/errors.md.' }),
    hint: Type.String({ description: 'What to do next.' }),
    retry: WireErrorSchema.properties.retry,
    request_id: Type.String({
      description: 'Also in the header X-Request-Id and in the log of the manager.',
    }),
    problems: WireErrorSchema.properties.problems,
    facts: WireErrorSchema.properties.facts,
  },
  strict,
)
export type ProblemDocument = Static<typeof ProblemDocument>

/** An error as part of a resource: why a deployment failed, why a repository cannot be read. */
export const ErrorDocument = WireErrorSchema
export type ErrorDocument = Static<typeof ErrorDocument>
