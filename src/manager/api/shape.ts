import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import { BAD_INPUT, problemsOf } from '#lib/check.ts'
import { NOTHING_HERE } from './errors.ts'

/** Types of bodies, queries and paths are those of their schemas. */
export interface ShapeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ShapeProvider
>

interface Part {
  readonly schema: unknown
  readonly httpPart?: string
  readonly method?: string
  readonly url?: string
}

/** Checks requests with the same function as everything else, instead of a second validator in memory. */
export function validatorFor({ schema, httpPart, method = '', url = '' }: Part) {
  const shape = schema as TSchema
  return (value: unknown) => {
    const given = httpPart === 'querystring' ? fromQuery(shape as TObject, value) : value
    const problems = problemsOf(shape, given ?? {})
    const first = problems[0]
    if (!first) {
      return { value: given ?? {} }
    }
    // No resource can have such a name.
    if (httpPart === 'params') {
      return { error: NOTHING_HERE(method, url) }
    }
    const what = httpPart === 'querystring' ? 'The query' : 'The request'
    return { error: BAD_INPUT(what, `${first.path || 'the whole'} ${first.message}`).with({ problems }) }
  }
}

/** Numbers and booleans of a query are text; whatever does not read as one stays text and is refused. */
function fromQuery(shape: TObject, query: unknown): Record<string, unknown> {
  const entries = Object.entries(query as Record<string, unknown>)
  return Object.fromEntries(entries.map(([key, text]) => [key, typed(shape.properties[key], text)]))
}

function typed(shape: TSchema | undefined, text: unknown): unknown {
  const type = (shape as { type?: string } | undefined)?.type
  if (type === 'integer' && typeof text === 'string' && /^-?\d{1,15}$/.test(text)) {
    return Number(text)
  }
  if (type === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true'
  }
  return text
}

/** One value of a header that may stand once. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
