import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { NotifyAnswer } from '#contract/rest/notify.ts'
import type { Secret } from '#lib/secret.ts'
import { takeNotification } from '#manager/triggers/notification.ts'
import { addressOf } from './authenticate.ts'
import { MALFORMED_REQUEST, NOTHING_HERE, TOKEN_MISSING, TOKEN_UNKNOWN } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { parsedBody } from './hook-request.ts'
import type { ApiParts } from './parts.ts'
import { type Api, headerOf } from './shape.ts'

const MOST_BODY_BYTES = 64 * 1024
const LONGEST_PROJECT = 300

const RepositoryPath = Type.Object({ repository: Name }, strict)

/**
 * Where a CI job tells of a push with the one token of its pipeline, which opens nothing else. `curl -d` sends a form,
 * other programs JSON; only the project is read of either.
 */
export function notifyRoutes(
  api: Api,
  parts: ApiParts,
  { limit, token }: { readonly limit: FailureLimit; readonly token: Secret | undefined },
): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))

  async function onRequest(request: FastifyRequest): Promise<void> {
    if (!token) {
      throw NOTHING_HERE(request.method, request.url)
    }
    const [, given] = /^Bearer (.+)$/i.exec(headerOf(request, 'authorization') ?? '') ?? []
    if (given === undefined) {
      throw TOKEN_MISSING()
    }
    if (!timingSafeEqual(sha256(given), sha256(token.reveal()))) {
      limit.note(addressOf(request, parts))
      throw TOKEN_UNKNOWN()
    }
  }

  async function take(request: FastifyRequest, repository?: string): Promise<NotifyAnswer> {
    const project = projectIn(request)
    const taken = await takeNotification(parts, { repository, project })
    const isAccepted = taken.kind === 'accepted'
    if (isAccepted) {
      parts.queue.wake()
      if (taken.look) {
        parts.poller.look(taken.look)
      }
    }
    parts.logger.info('notify', { repository: taken.repository, project, result: taken.kind })
    return {
      repository: taken.repository,
      project: project ?? null,
      deployments: isAccepted ? [...taken.deployments] : [],
      ...(isAccepted ? {} : { ignored: taken.reason }),
    }
  }

  const schema = { tags: ['hooks'], response: { 202: NotifyAnswer } }
  api.post(
    '/notify',
    {
      bodyLimit: MOST_BODY_BYTES,
      schema: {
        ...schema,
        summary: 'Take the word of a CI job that a notebook project was added or changed',
        description:
          'With AUTH_TOKEN as bearer token. The body may name the "project", as JSON or as a form: its slug or its folder.',
      },
      onRequest,
    },
    async (request, reply) => reply.code(202).send(await take(request)),
  )

  api.post(
    '/notify/:repository',
    {
      bodyLimit: MOST_BODY_BYTES,
      schema: {
        ...schema,
        summary: 'The same, where there are several repositories',
        params: RepositoryPath,
      },
      onRequest,
    },
    async (request, reply) => reply.code(202).send(await take(request, request.params.repository)),
  )
}

/** Undefined where it is not said: the whole repository is meant. */
function projectIn(request: FastifyRequest): string | undefined {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')
  const text = body.toString('utf8').trim()
  if (text === '') {
    return undefined
  }
  // What curl sends as a form may be JSON all the same: it does not look.
  const value =
    isForm && !text.startsWith('{') ? Object.fromEntries(new URLSearchParams(text)) : parsedBody(body)
  const project = (value as { project?: unknown } | null)?.project
  if (typeof project !== 'string' || project === '') {
    return undefined
  }
  if (project.length > LONGEST_PROJECT) {
    throw MALFORMED_REQUEST(`the name of the project has more than ${LONGEST_PROJECT} characters`)
  }
  return project
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
