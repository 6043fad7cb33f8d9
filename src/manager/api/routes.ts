import { appActionRoutes } from './app-actions.ts'
import { appLogRoutes } from './app-logs.ts'
import { secretRoutes } from './app-secrets.ts'
import { appRoutes } from './apps.ts'
import { artifactRoutes } from './artifacts.ts'
import { authenticator } from './authenticate.ts'
import { authoriser } from './authorise.ts'
import { badgeRoutes } from './badges.ts'
import { ciTrustRoutes } from './ci-trusts.ts'
import { commitResultRoutes } from './commit-result.ts'
import { deploymentRoutes } from './deployments.ts'
import { eventRoutes } from './events.ts'
import { createFailureLimit } from './failure-limit.ts'
import { healthRoutes } from './health.ts'
import { hookRoutes } from './hooks.ts'
import { hostRoutes } from './hosts.ts'
import { idempotency } from './idempotency.ts'
import { notebookBadgeRoutes } from './notebook-badges.ts'
import { notebookRoutes } from './notebooks.ts'
import { notificationRoutes } from './notifications.ts'
import { openPageRoutes } from './open-page.ts'
import { organisationRoutes } from './organisations.ts'
import type { ApiParts } from './parts.ts'
import { previewRoutes } from './previews.ts'
import { registryRoutes } from './registry.ts'
import { removalRoutes } from './removals.ts'
import { repositoryRoutes } from './repositories.ts'
import type { Api } from './shape.ts'
import { signedDeployRoutes } from './signed-deploys.ts'
import { stackRoutes } from './stacks.ts'
import { tokenExchangeRoutes } from './token-exchange.ts'

const RESOURCES = [
  appRoutes,
  appActionRoutes,
  appLogRoutes,
  secretRoutes,
  deploymentRoutes,
  artifactRoutes,
  notebookRoutes,
  repositoryRoutes,
  commitResultRoutes,
  removalRoutes,
  organisationRoutes,
  notificationRoutes,
  stackRoutes,
  hostRoutes,
  registryRoutes,
  ciTrustRoutes,
  eventRoutes,
]

/** Every route of the manager. Whatever is below /api/v1 needs a token. */
export function registerRoutes(server: Api, parts: ApiParts): void {
  const limit = createFailureLimit(parts.clock)
  server.decorateRequest('speaker', null)
  server.decorateRequest('idempotencyKey', null)

  server.register(async health => healthRoutes(health, parts))
  server.register(async badges => badgeRoutes(badges, parts))
  server.register(async badges => notebookBadgeRoutes(badges, parts))
  server.register(async previews => previewRoutes(previews, parts, limit))
  server.register(async hooks => hookRoutes(hooks, parts, limit))
  server.register(async open => openPageRoutes(open, parts, limit))
  server.register(async exchange => tokenExchangeRoutes(exchange, parts, limit))
  // Where the routes are only described there is no configuration.
  server.register(async deploys => signedDeployRoutes(deploys, parts, parts.config?.deployer))
  server.register(
    async api => {
      const { before, after } = idempotency(parts)
      api.addHook('onRequest', authenticator(parts, limit))
      api.addHook('preHandler', authoriser(parts))
      api.addHook('preHandler', before)
      api.addHook('onSend', after)
      api.addHook('onResponse', auditor(parts))
      for (const register of RESOURCES) {
        register(api, parts)
      }
    },
    { prefix: '/api/v1' },
  )
}

/** One line for each request that wants to change something: who, what, how it ended. */
function auditor({ logger }: ApiParts) {
  return async (
    request: Parameters<ReturnType<typeof authenticator>>[0],
    reply: { statusCode: number; elapsedTime: number },
  ) => {
    if (request.method !== 'GET' && request.speaker) {
      logger.info('api.write', {
        request: request.id,
        by: request.speaker.name,
        method: request.method,
        path: request.url.slice(0, 300),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
      })
    }
  }
}
