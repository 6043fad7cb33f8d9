import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { strict } from '#contract/rest/fields.ts'
import { SignedAnswer, SignedRefusal } from '#contract/rest/signed.ts'
import type { DeployerConfig } from '#manager/deployer-config.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { isStackName, judgeCall, type SignedCall, signedBytes } from '#manager/triggers/signed-call.ts'
import {
  CALL_NOT_SIGNED,
  STACK_MISMATCH,
  STACK_NAME_INVALID,
  STACK_PAUSED,
} from '#manager/triggers/signed-errors.ts'
import { appOfStack, hostOfStack } from '#manager/triggers/stack-app.ts'
import { createStackRequests } from '#manager/triggers/stack-requests.ts'
import { addressOf } from './authenticate.ts'
import { CONTENT_TYPE_REFUSED, NOTHING_HERE, TOO_MANY_CALLS } from './errors.ts'
import { parsedBody } from './hook-request.ts'
import type { ApiParts } from './parts.ts'
import { meaningOf } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import { type Api, headerOf } from './shape.ts'
import { errorWord, signedAnswer } from './signed-answer.ts'
import { waitForEnd } from './wait-for-end.ts'

/** A body names a stack, and nothing else is read of it. */
const MOST_BODY_BYTES = 64 * 1024

const response = {
  200: SignedAnswer,
  409: Type.Union([SignedAnswer, SignedRefusal]),
  500: SignedAnswer,
  '4xx': SignedRefusal,
}
const tags = ['deployer']

/** Any text: who cannot sign must not learn which names there can be. */
const StackPath = Type.Object({ stack: Type.String() }, strict)

/**
 * Deployments of stacks for who can sign, answered when they have ended. In this order: how often the address calls,
 * the signature over the raw bytes, the name, whether there is such a folder, and what its services do.
 */
export function signedDeployRoutes(api: Api, parts: ApiParts, config: DeployerConfig | undefined): void {
  const limit = createRateLimit(parts.clock, {
    most: config?.perMinute ?? 0,
    refusal: TOO_MANY_CALLS,
  })
  const requests = createStackRequests(parts, config?.minIntervalMs ?? 0)

  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  api.setErrorHandler(refusalHandler(parts))

  async function onRequest(request: FastifyRequest): Promise<void> {
    if (!config) {
      throw NOTHING_HERE(request.method, request.url)
    }
    limit.note(addressOf(request, parts))
    if (request.headers['content-encoding'] !== undefined) {
      throw CONTENT_TYPE_REFUSED()
    }
  }

  async function deploy(
    request: FastifyRequest,
    reply: FastifyReply,
    inPath?: string,
  ): Promise<FastifyReply> {
    const scheme = await authenticated(request, inPath)
    const stack = stackOf(request, inPath)
    const host = await hostOfStack(parts, stack)
    const appId = await appOfStack(parts, { stack, host })
    await refusePaused(parts, appId)
    const address = addressOf(request, parts)
    const deployment = await requests.request({ appId, scheme, address })
    parts.queue.wake()
    parts.logger.info('deploy.call', { stack, scheme, address, deployment: deployment.id })
    const { state } = await waitForEnd(parts, deployment, { gone: request.signal })
    if (state === 'queued') {
      await refusePaused(parts, appId)
    }
    const { status, body } = await signedAnswer(parts, deployment.id, stack)
    const duration = Math.round(reply.elapsedTime)
    parts.logger.info('deploy.answer', { stack, ok: body.ok, status, duration_ms: duration, host })
    return reply.code(status).send(body)
  }

  async function authenticated(request: FastifyRequest, inPath: string | undefined): Promise<'v1' | 'v2'> {
    const call = callOf(request, inPath, parts.clock.now())
    const verdict = config
      ? judgeCall(call, inPath ?? claimedStack(call), config)
      : ({ kind: 'refused', reason: 'no secret' } as const)
    if (verdict.kind === 'v2' && !(await isFirst(parts, verdict.requestId))) {
      throw unsigned(request, 'this request id came before')
    }
    if (verdict.kind === 'refused') {
      throw unsigned(request, verdict.reason)
    }
    return verdict.kind
  }

  function unsigned(request: FastifyRequest, reason: string) {
    const address = addressOf(request, parts)
    parts.logger.warn('deploy.refused', { reason, address, path: request.url.slice(0, 100) })
    return CALL_NOT_SIGNED()
  }

  api.post(
    '/deploy/:stack',
    {
      bodyLimit: MOST_BODY_BYTES,
      schema: { summary: 'Deploy a stack of a host, with a signed call', tags, params: StackPath, response },
      onRequest,
    },
    async (request, reply) => await deploy(request, reply, request.params.stack),
  )

  api.post(
    '/deploy',
    {
      bodyLimit: MOST_BODY_BYTES,
      schema: { summary: 'The same, with the stack named in the body', tags, response },
      onRequest,
    },
    async (request, reply) => await deploy(request, reply),
  )
}

/** What is queued for an app that is paused waits for a person, and no caller is kept waiting for one. */
async function refusePaused({ db }: ApiParts, appId: string): Promise<void> {
  const app = await db
    .selectFrom('apps')
    .select(['name', 'paused_at'])
    .where('id', '=', appId)
    .executeTakeFirst()
  if (app && app.paused_at !== null) {
    throw STACK_PAUSED(app.name)
  }
}

function callOf(request: FastifyRequest, stack: string | undefined, receivedAt: number): SignedCall {
  return {
    method: request.method,
    path: request.raw.url ?? '',
    stack,
    body: bodyOf(request),
    signature: headerOf(request, 'x-signature') ?? '',
    timestamp: headerOf(request, 'x-signature-timestamp') ?? '',
    requestId: headerOf(request, 'x-request-id') ?? '',
    receivedAt,
  }
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return signedBytes(Buffer.isBuffer(body) ? body : Buffer.alloc(0))
}

/** Whose secret a call may be signed with beside the one for all. Nothing else is made of it before it is verified. */
function claimedStack({ signature, body }: SignedCall): string | undefined {
  try {
    return signature === '' ? undefined : stackIn(body)
  } catch {
    return undefined
  }
}

/** What a verified call is for. */
function stackOf(request: FastifyRequest, inPath: string | undefined): string {
  const body = bodyOf(request)
  const inBody = body.length > 0 || inPath === undefined ? (stackIn(body) ?? '') : undefined
  if (inPath !== undefined && inBody !== undefined && inBody !== inPath) {
    throw isStackName(inPath) ? STACK_MISMATCH(inPath) : STACK_NAME_INVALID()
  }
  const stack = inPath ?? inBody ?? ''
  if (!isStackName(stack)) {
    throw STACK_NAME_INVALID()
  }
  return stack
}

function stackIn(body: Buffer): string | undefined {
  const value = parsedBody(body)
  const stack =
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'stack') && 'stack' in value
  return stack && typeof value.stack === 'string' ? value.stack : undefined
}

/** Written down for a day, over restarts: long after its signature is too old. */
async function isFirst({ db, clock }: ApiParts, id: string): Promise<boolean> {
  try {
    await db.insertInto('signed_calls').values({ id, received_at: clock.now() }).execute()
    return true
  } catch (error) {
    if (isConstraintViolation(error)) {
      return false
    }
    throw error
  }
}

/** In the form of the answers, so that a caller who only reads "ok" is right. Reasons are for those who could sign. */
function refusalHandler({ logger }: ApiParts) {
  return (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const error = meaningOf(thrown)
    if (error.status >= 500) {
      logger.error('deploy.failed', { request: request.id, code: error.code, message: error.message })
    }
    if (typeof error.retry === 'object') {
      reply.header('retry-after', String(error.retry.afterSeconds))
    }
    if (error.status === 413) {
      reply.header('connection', 'close')
    }
    const message = error.status === 401 ? {} : { message: error.message }
    return reply
      .code(error.status)
      .serializer(JSON.stringify)
      .send({ ok: false, error: errorWord(error.code), id: request.id, ...message })
  }
}
