import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemDocument } from '#contract/rest/problem.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { BODY_TOO_LARGE, CONTENT_TYPE_REFUSED, MALFORMED_REQUEST } from './errors.ts'

/** Answers every error of every route as problem+json; what is our fault is also logged with its cause. */
export function problemHandler(logger: Logger) {
  return (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = meaningOf(thrown)
    if (error.status >= 500) {
      logFailure(logger, request, error)
    }
    return sendProblem(reply, error)
  }
}

export function sendProblem(reply: FastifyReply, error: FairleadError): FastifyReply {
  if (typeof error.retry === 'object') {
    reply.header('retry-after', String(error.retry.afterSeconds))
  }
  return reply
    .code(error.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problemOf(error, reply.request.id))
}

export function problemOf(error: FairleadError, requestId: string): ProblemDocument {
  return {
    type: `urn:fairlead:error:${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    retry: error.retry,
    request_id: requestId,
    ...(error.problems ? { problems: [...error.problems] } : {}),
    ...(error.facts ? { facts: error.facts } : {}),
  }
}

/** `APP_NOT_FOUND` -> `App not found` */
function titleOf(code: string): string {
  return code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')
}

/** Fastify's own errors concern the form of a request; their texts are for its developers. */
export function meaningOf(thrown: FastifyError): FairleadError {
  if (thrown instanceof FairleadError || !thrown.code?.startsWith('FST_')) {
    return asFairleadError(thrown)
  }
  switch (thrown.statusCode) {
    case 413:
      return BODY_TOO_LARGE()
    case 415:
      return CONTENT_TYPE_REFUSED()
    case 400:
      return MALFORMED_REQUEST(thrown.message)
    default:
      return asFairleadError(thrown)
  }
}

function logFailure(logger: Logger, request: FastifyRequest, error: FairleadError): void {
  const cause = error.cause instanceof Error ? error.cause : error
  logger.error('api.failed', {
    request: request.id,
    method: request.method,
    route: request.routeOptions.url,
    code: error.code,
    message: error.message,
    stack: cause.stack,
  })
}
