import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { strict } from '#contract/rest/fields.ts'
import { DeliveryAnswer, DeliveryRefusal } from '#contract/rest/hooks.ts'
import { DELIVERY_CONFLICT, NOT_SIGNED, OTHER_REPOSITORY } from '#manager/triggers/errors.ts'
import { createVerifier, readDelivery } from '#manager/triggers/hook-delivery.ts'
import { createUserLooks } from '#manager/triggers/look-at-users.ts'
import { type Delivery, type Taken, takeDelivery } from '#manager/triggers/push.ts'
import { createRefusals } from '#manager/triggers/refused-delivery.ts'
import { addressOf } from './authenticate.ts'
import { BUSY, TOO_MANY_FAILURES } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { createBodyReader, parsedBody, rawDelivery, refuseForm } from './hook-request.ts'
import type { ApiParts } from './parts.ts'
import { meaningOf } from './problem.ts'
import type { Api } from './shape.ts'

/** Any text: a hook that cannot exist must look like one that does not. */
const HookPath = Type.Object({ hook: Type.String() }, strict)

/**
 * Webhooks of Git hosts. Checks from cheap to dear: form, size, signature over the raw bytes, and only then the text.
 * What is not for us is answered with success, because hosts disable hooks that fail.
 */
export function hookRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  const verify = createVerifier(parts)
  const lookAtUsers = createUserLooks(parts)
  const noteRefusal = createRefusals(parts)
  const readBody = createBodyReader(request => addressOf(request, parts))

  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', readBody)
  api.setErrorHandler(refusalHandler(parts))

  api.post(
    '/hooks/:hook',
    {
      schema: {
        summary: 'Take a delivery of a Git host',
        description:
          'The address and its secret are made with POST /api/v1/repositories/{repository}/webhook-secret.',
        tags: ['hooks'],
        params: HookPath,
        response: {
          200: DeliveryAnswer,
          202: DeliveryAnswer,
          '4xx': DeliveryRefusal,
          '5xx': DeliveryRefusal,
        },
      },
      onRequest: async request => refuseForm(request),
    },
    async (request, reply) => {
      const raw = rawDelivery(request, parts.clock.now())
      const verified = await verify(request.params.hook, raw)
      if (verified === 'unsigned-test') {
        return reply.code(200).send({ delivery: 'test', ignored: 'ping' })
      }
      if (verified.kind === 'unverified') {
        const address = addressOf(request, parts)
        noteRefusal(verified, address)
        // Only failures count, so a sender with a valid signature is never locked out by another one at its address.
        limit.note(address)
        throw NOT_SIGNED()
      }
      const delivery = readDelivery(verified, raw, parsedBody(raw.body))
      const taken = await takeDelivery(parts, delivery)
      if (taken.kind === 'accepted') {
        parts.queue.wake()
        if (taken.look) {
          parts.poller.look(taken.look)
        }
      }
      if (delivery.event.kind === 'push' && taken.kind !== 'duplicate') {
        lookAtUsers(delivery.hook.repository_id)
      }
      log(delivery, taken)
      return reply.code(taken.kind === 'accepted' ? 202 : 200).send(answer(delivery, taken))
    },
  )

  api.route({
    method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/hooks/:hook',
    schema: { hide: true },
    handler: async (request, reply) =>
      reply.code(405).header('allow', 'POST').send(refusal('method-not-allowed', request)),
  })

  function log({ hook, id, eventName }: Delivery, taken: Taken): void {
    parts.logger.info('hook.delivery', {
      hook: hook.id,
      delivery: id,
      git_event: eventName,
      result: taken.kind,
      ...(taken.kind === 'ignored' ? { reason: taken.reason } : { deployments: taken.deployments.length }),
    })
  }
}

function answer({ id }: Delivery, taken: Taken) {
  if (taken.kind === 'ignored') {
    return { delivery: id, ignored: taken.reason }
  }
  const deployments = [...taken.deployments]
  return taken.kind === 'duplicate'
    ? { delivery: id, duplicate: true as const, deployments }
    : { delivery: id, deployments }
}

/** Says as little as possible, in the form that all Git hosts show to people. */
function refusalHandler(parts: ApiParts) {
  return (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const error = meaningOf(thrown)
    if (error.status >= 500) {
      parts.logger.error('hook.failed', { request: request.id, code: error.code, message: error.message })
    }
    if ([OTHER_REPOSITORY, DELIVERY_CONFLICT, TOO_MANY_FAILURES].some(kind => kind.matches(error))) {
      parts.logger.warn('hook.refused', { request: request.id, code: error.code, message: error.message })
    }
    if (typeof error.retry === 'object') {
      reply.header('retry-after', String(error.retry.afterSeconds))
    }
    if (error.status === 413 || BUSY.matches(error)) {
      // The rest of the body is not waited for.
      reply.header('connection', 'close')
    }
    return reply.code(error.status).send(refusal(error.code.toLowerCase().replaceAll('_', '-'), request))
  }
}

function refusal(code: string, request: FastifyRequest) {
  return { error: code, id: request.id }
}
