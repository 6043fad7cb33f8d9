import { addressListRoutes } from './address-lists.ts'
import { appActionRoutes } from './app-actions.ts'
import { appLogRoutes } from './app-logs.ts'
import { secretRoutes } from './app-secrets.ts'
import { appUsageRoutes } from './app-usage.ts'
import { appRoutes } from './apps.ts'
import { artifactRoutes } from './artifacts.ts'
import { auditRoutes } from './audit.ts'
import { authenticator } from './authenticate.ts'
import { authoriser, listFilter } from './authorise.ts'
import { badgeRoutes } from './badges.ts'
import { ciTrustRoutes } from './ci-trusts.ts'
import { commitResultRoutes } from './commit-result.ts'
import { consoleRoutes } from './consoles.ts'
import { deploymentRoutes } from './deployments.ts'
import { eventRoutes } from './events.ts'
import { createFailureLimit } from './failure-limit.ts'
import { firewallRoutes } from './firewall.ts'
import { healthRoutes } from './health.ts'
import { hookRoutes } from './hooks.ts'
import { hostRoutes } from './hosts.ts'
import { idempotency } from './idempotency.ts'
import { joinRoutes, joinTokenRoutes } from './join.ts'
import { meRoutes } from './me.ts'
import { metricsRoutes } from './metrics.ts'
import { auditing } from './note-audit.ts'
import { notebookBadgeRoutes } from './notebook-badges.ts'
import { notebookRoutes } from './notebooks.ts'
import { notificationRoutes } from './notifications.ts'
import { notifyRoutes } from './notify.ts'
import { openPageRoutes } from './open-page.ts'
import { organisationRoutes } from './organisations.ts'
import type { ApiParts } from './parts.ts'
import { passkeyRoutes, passkeySignInRoutes } from './passkeys.ts'
import { peopleRoutes } from './people.ts'
import { previewRoutes } from './previews.ts'
import { projectRoutes } from './projects.ts'
import { providerRoutes } from './providers.ts'
import { recipientRoutes } from './recipients.ts'
import { registryRoutes } from './registry.ts'
import { removalRoutes } from './removals.ts'
import { repositoryRoutes } from './repositories.ts'
import { serviceNameRoutes } from './service-names.ts'
import type { Api } from './shape.ts'
import { sharedSecretRoutes } from './shared-secrets.ts'
import { signInRoutes } from './sign-in.ts'
import { signInElsewhereRoutes } from './sign-in-elsewhere.ts'
import { signedDeployRoutes } from './signed-deploys.ts'
import { sshKeyRoutes } from './ssh-keys.ts'
import { stackRoutes } from './stacks.ts'
import { systemBackupRoutes } from './system-backups.ts'
import { systemMemberRoutes } from './system-members.ts'
import { systemProfileRoutes } from './system-profiles.ts'
import { systemRoutes } from './systems.ts'
import { targetRoutes } from './targets.ts'
import { tokenExchangeRoutes } from './token-exchange.ts'
import { tokenRoutes } from './tokens.ts'
import { twoFactorRoutes } from './two-factor.ts'

const RESOURCES = [
  meRoutes,
  twoFactorRoutes,
  passkeyRoutes,
  providerRoutes,
  peopleRoutes,
  projectRoutes,
  tokenRoutes,
  appRoutes,
  appActionRoutes,
  appLogRoutes,
  appUsageRoutes,
  secretRoutes,
  sharedSecretRoutes,
  recipientRoutes,
  deploymentRoutes,
  artifactRoutes,
  serviceNameRoutes,
  notebookRoutes,
  repositoryRoutes,
  commitResultRoutes,
  removalRoutes,
  organisationRoutes,
  notificationRoutes,
  stackRoutes,
  targetRoutes,
  hostRoutes,
  joinTokenRoutes,
  firewallRoutes,
  addressListRoutes,
  registryRoutes,
  systemRoutes,
  consoleRoutes,
  systemBackupRoutes,
  systemProfileRoutes,
  systemMemberRoutes,
  sshKeyRoutes,
  ciTrustRoutes,
  eventRoutes,
  auditRoutes,
]

/** Every route of the manager. Whatever is below /api/v1 needs a token or a session. */
export function registerRoutes(server: Api, parts: ApiParts): void {
  const limit = createFailureLimit(parts.clock)
  server.decorateRequest('speaker', null)
  server.decorateRequest('idempotencyKey', null)
  server.decorateRequest('isAudited', false)
  server.decorateRequest('madeThing', null)
  const audits = auditing(parts, parts.audit)

  server.register(async health => healthRoutes(health, parts))
  server.register(async badges => badgeRoutes(badges, parts))
  server.register(async badges => notebookBadgeRoutes(badges, parts))
  server.register(async previews => previewRoutes(previews, parts, limit))
  server.register(async hooks => {
    hooks.addHook('onResponse', async (_, reply) => parts.metrics.noteWebhook(reply.statusCode))
    hookRoutes(hooks, parts, limit)
  })
  server.register(async figures => {
    figures.addHook('onRequest', authenticator(parts, limit))
    figures.addHook('preValidation', authoriser(parts))
    metricsRoutes(figures, parts.metrics)
  })
  server.register(async open => openPageRoutes(open, parts, limit))
  server.register(async open => {
    open.addHook('onResponse', audits.afterOpen)
    tokenExchangeRoutes(open, parts, limit)
    joinRoutes(open, parts)
    signInRoutes(open, parts)
    signInElsewhereRoutes(open, parts)
    passkeySignInRoutes(open, parts)
  })
  // Where the routes are only described there is no configuration.
  server.register(async notify => notifyRoutes(notify, parts, { limit, token: parts.config?.notifyToken }))
  server.register(async deploys => signedDeployRoutes(deploys, parts, parts.config?.deployer))
  server.register(
    async api => {
      const { before, after } = idempotency(parts)
      api.addHook('onRequest', authenticator(parts, limit))
      api.addHook('preValidation', authoriser(parts))
      api.addHook('preHandler', before)
      api.addHook('preHandler', audits.before)
      api.addHook('preSerialization', listFilter(parts))
      api.addHook('preSerialization', audits.made)
      api.addHook('onSend', after)
      api.addHook('onResponse', audits.after)
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
