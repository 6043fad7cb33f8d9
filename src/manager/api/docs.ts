import type { SwaggerOptions } from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemDocument } from '#contract/rest/problem.ts'
import { NOTHING_HERE } from './errors.ts'
import type { Api } from './shape.ts'

export const DOCS_PATH = '/api/v1/docs'
const OPENAPI_PATH = '/api/v1/openapi.json'

/**
 * The reference page and the OpenAPI document. They describe nothing secret and need no token.
 * What makes them is loaded when somebody asks: it would be a fifth of the idle manager's memory.
 */
export function docsRoutes(server: Api, makeDescribed: () => Promise<Api>): void {
  let docs: Promise<FastifyInstance> | undefined

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    docs ??= openDocs(makeDescribed)
    const app = await docs
    if (request.method !== 'GET') {
      throw NOTHING_HERE(request.method, request.url)
    }
    reply.hijack()
    app.routing(request.raw, reply.raw)
    return reply
  }

  server.get(OPENAPI_PATH, { schema: { hide: true } }, answer)
  server.get(DOCS_PATH, { schema: { hide: true } }, answer)
  server.get(`${DOCS_PATH}/*`, { schema: { hide: true } }, answer)
  server.addHook('onClose', async () => {
    const app = await docs
    await app?.close()
  })
}

/** The OpenAPI document as an object: also for docs/api.md. */
export async function openapiDocument(makeDescribed: () => Promise<Api>): Promise<unknown> {
  const app = await openDocs(makeDescribed)
  const answer = await app.inject({ method: 'GET', url: OPENAPI_PATH })
  await app.close()
  return answer.json()
}

/** A second instance with the same routes: described, not served; it serves only the page and the document. */
async function openDocs(makeDescribed: () => Promise<Api>): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const app = (await makeDescribed()) as unknown as FastifyInstance
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    staticCSP: "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    uiConfig: { persistAuthorization: false, deepLinking: true },
    theme: { title: 'Fairlead API' },
  })
  app.get(OPENAPI_PATH, { schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  )
  await app.ready()
  return app
}

/** Makes an instance describe the routes that are registered after this. */
export async function describe(server: Api): Promise<void> {
  const { default: swagger } = await import('@fastify/swagger')
  await server.register(swagger, OPTIONS)
}

const OPTIONS: SwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Fairlead',
      version: '1',
      description: 'From a Git push to a running, reachable, verified workload on your own machines.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'flt_…' } } },
  },
  transform: ({ schema, url }) => {
    const isOpen = !url.startsWith('/api/')
    const problem = { description: 'What went wrong and what to do (RFC 9457)', ...ProblemDocument }
    const response = {
      ...(schema?.response as object | undefined),
      ...(isOpen ? {} : { default: problem }),
    }
    const security = isOpen ? [] : (schema?.security ?? [{ token: [] }])
    return { schema: { ...schema, response, security }, url }
  },
}
