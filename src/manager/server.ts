import { fastify } from 'fastify'
import { newId } from '#lib/id.ts'
import { describe, docsRoutes, openapiDocument } from './api/docs.ts'
import { NOTHING_HERE } from './api/errors.ts'
import { problemHandler, sendProblem } from './api/problem.ts'
import { registerRoutes } from './api/routes.ts'
import { type Api, validatorFor } from './api/shape.ts'
import { createStreams, type Streams } from './api/streams.ts'
import { shouldUpgrade, takeUpgrades } from './api/upgrades.ts'
import { webRoutes } from './api/web.ts'
import { createAudit } from './audit/audit.ts'
import { createMetrics } from './metrics/metrics.ts'
import type { ManagerParts } from './parts.ts'
import { SERVER_TIMES } from './server-times.ts'

const MOST_BODY_BYTES = 1024 * 1024

/** The HTTP side of the manager, ready to listen or to be tested with inject(). Ends its event streams when closed. */
export async function createServer(parts: ManagerParts, audit = createAudit(parts)): Promise<Api> {
  const streams = createStreams(parts.clock)
  const server = newServer(parts)
  server.addHook('preClose', async () => streams.close())
  const metrics = createMetrics(parts)
  server.addHook('onClose', async () => {
    audit.close()
    metrics.close()
  })
  registerRoutes(server, { ...parts, streams, audit, metrics })
  docsRoutes(server, () => describedServer(parts, streams))
  webRoutes(server)
  takeUpgrades(server)
  await server.ready()
  return server
}

/** Listens where the configuration says; gives the address that it got. */
export async function listen(server: Api, { config }: Pick<ManagerParts, 'config'>): Promise<string> {
  return await server.listen({ host: config.listen.host, port: config.listen.port })
}

/** The whole API as OpenAPI 3.1. */
export async function describeApi(parts: ManagerParts): Promise<unknown> {
  return await openapiDocument(() => describedServer(parts, createStreams(parts.clock)))
}

async function describedServer(parts: ManagerParts, streams: Streams): Promise<Api> {
  const server = newServer(parts)
  await describe(server)
  registerRoutes(server, { ...parts, streams, audit: createAudit(parts), metrics: createMetrics(parts) })
  return server
}

function newServer({ logger }: ManagerParts): Api {
  const server: Api = fastify({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: SERVER_TIMES.requestTimeout,
    http: { ...SERVER_TIMES, shouldUpgradeCallback: shouldUpgrade },
    forceCloseConnections: 'idle',
    genReqId: newId,
    requestIdHeader: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    // Fastify would load a second validator and a serializer compiler, only to have them replaced below.
    schemaController: { compilersFactory: { buildValidator: notLoaded, buildSerializer: notLoaded } },
    frameworkErrors: (_, request, reply) => sendProblem(reply, NOTHING_HERE(request.method, request.url)),
  })
  server.setValidatorCompiler(validatorFor)
  server.setSerializerCompiler(() => JSON.stringify)
  server.setErrorHandler(problemHandler(logger))
  server.setNotFoundHandler((request, reply) => sendProblem(reply, NOTHING_HERE(request.method, request.url)))
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
  })
  return server
}

function notLoaded(): never {
  throw new Error('The compilers of the server are set before its routes.')
}
