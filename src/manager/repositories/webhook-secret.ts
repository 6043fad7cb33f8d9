import { randomBytes } from 'node:crypto'
import type { WebhookSecretBody } from '#contract/rest/repositories.ts'
import type { GitHost } from '#git-hosts/git-host.ts'
import { GIT_HOSTS, gitHostAt, gitHostNamed } from '#git-hosts/index.ts'
import { serverOf } from '#git-hosts/repository-path.ts'
import { randomText } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { GIT_HOST_UNKNOWN, WEBHOOK_SECRET_MISFIT } from './errors.ts'
import { hookSecretPlace } from './hook-secrets.ts'
import { type RepositoryRecord, readRepository } from './queries.ts'

const KEEP_PREVIOUS_SECONDS = 86_400
const SECRET_BYTES = 32

/** Makes the webhook of a repository, or gives it a new secret; the one before stays valid for a while. */
export async function rotateWebhookSecret(
  parts: ManagerParts,
  name: string,
  wanted: WebhookSecretBody,
): Promise<{ readonly repository: RepositoryRecord; readonly gitHost: GitHost; readonly secret: string }> {
  const { sealer, clock } = parts
  const { id: repositoryId, url, hook } = await readRepository(parts.db, name)
  const gitHost = wantedHost(wanted.git_host ?? hook?.git_host ?? guessGitHost(url))
  const secret = wanted.secret ?? newSecret(gitHost)
  if (gitHost.isSecret?.(secret) === false) {
    throw WEBHOOK_SECRET_MISFIT(gitHost.title)
  }
  const now = clock.now()
  const keepMs = (wanted.keep_previous_seconds ?? KEEP_PREVIOUS_SECONDS) * 1000
  const keeps = hook !== undefined && hook.git_host === gitHost.name && keepMs > 0
  await inTransaction(parts.db, async db => {
    const id = hook?.id ?? randomText(16)
    const row = {
      git_host: gitHost.name,
      secret_sealed: sealer.seal(secret, hookSecretPlace(id)),
      previous_sealed: keeps ? hook.secret_sealed : null,
      previous_until: keeps ? now + keepMs : null,
      remote_id: hook?.git_host === gitHost.name ? hook.remote_id : null,
      verified_with: keeps && hook.verified_with === 'current' ? ('previous' as const) : null,
    }
    if (hook) {
      await db.updateTable('hooks').set(row).where('id', '=', id).execute()
    } else {
      const created = { ...row, id, repository_id: repositoryId, last_delivery_at: null, created_at: now }
      await db.insertInto('hooks').values(created).execute()
    }
  })
  return { repository: await readRepository(parts.db, name), gitHost, secret }
}

function wantedHost(name: string): GitHost {
  const host = gitHostNamed(name)
  if (!host) {
    throw GIT_HOST_UNKNOWN(name, GIT_HOSTS.map(each => each.name).join(', '))
  }
  return host
}

function newSecret({ secretOf }: GitHost): string {
  return secretOf ? secretOf(randomBytes(SECRET_BYTES)) : randomText(SECRET_BYTES)
}

/** The host that the address names, else the plain scheme that any sender can produce. */
function guessGitHost(url: string): string {
  return gitHostAt(serverOf(url))?.name ?? 'hmac'
}
