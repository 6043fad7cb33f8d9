import type { WebhookSecretBody } from '#contract/rest/repositories.ts'
import { GIT_HOSTS, gitHostNamed } from '#git-hosts/index.ts'
import { randomText } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { GIT_HOST_UNKNOWN } from './errors.ts'
import { type RepositoryRecord, readRepository } from './queries.ts'

const KEEP_PREVIOUS_SECONDS = 86_400

/** Makes the webhook of a repository, or gives it a new secret; the one before stays valid for a while. */
export async function rotateWebhookSecret(
  parts: ManagerParts,
  name: string,
  wanted: WebhookSecretBody,
): Promise<{ readonly repository: RepositoryRecord; readonly secret: string }> {
  const { sealer, clock } = parts
  const { id: repositoryId, url, hook } = await readRepository(parts.db, name)
  const gitHost = wanted.git_host ?? hook?.git_host ?? guessGitHost(url)
  if (!gitHostNamed(gitHost)) {
    throw GIT_HOST_UNKNOWN(gitHost)
  }
  const secret = randomText(32)
  const now = clock.now()
  const keepMs = (wanted.keep_previous_seconds ?? KEEP_PREVIOUS_SECONDS) * 1000
  const keeps = hook !== undefined && hook.git_host === gitHost && keepMs > 0
  await inTransaction(parts.db, async db => {
    const id = hook?.id ?? randomText(16)
    const row = {
      git_host: gitHost,
      secret_sealed: sealer.seal(secret, hookSecretPlace(id)),
      previous_sealed: keeps ? hook.secret_sealed : null,
      previous_until: keeps ? now + keepMs : null,
      remote_id: hook?.git_host === gitHost ? hook.remote_id : null,
    }
    if (hook) {
      await db.updateTable('hooks').set(row).where('id', '=', id).execute()
    } else {
      const created = { ...row, id, repository_id: repositoryId, last_delivery_at: null, created_at: now }
      await db.insertInto('hooks').values(created).execute()
    }
  })
  return { repository: await readRepository(parts.db, name), secret }
}

/** Where a hook's secrets (the current and the previous one) are sealed for. */
export function hookSecretPlace(hookId: string): string {
  return `hooks/${hookId}/secret`
}

/** The host that the address names, else the plain scheme that any sender can produce. */
function guessGitHost(url: string): string {
  return GIT_HOSTS.find(host => url.includes(`${host.name}.com`))?.name ?? 'hmac'
}
