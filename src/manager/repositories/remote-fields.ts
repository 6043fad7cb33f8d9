import type { CredentialBody } from '#contract/rest/repositories.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { checkedBranch } from '#programs/git-names.ts'
import { parseRepositoryUrl, type RepositoryUrl } from '#programs/git-url.ts'
import { CREDENTIAL_MISFIT } from './errors.ts'

export interface RemoteFields {
  readonly id: string
  readonly url: string
  readonly branch: string
  /** undefined leaves what is stored, null removes it. */
  readonly credential: CredentialBody | null | undefined
}

interface Rules {
  readonly sealer: Sealer
  readonly allowPrivate: readonly string[]
}

/** The columns for a remote that was checked: address rewritten in its one safe form, credential sealed. */
export function remoteColumns(fields: RemoteFields, { sealer, allowPrivate }: Rules) {
  const url = parseRepositoryUrl(fields.url, { allowPrivate })
  const { credential } = fields
  if (credential) {
    refuseMisfit(url, credential)
  }
  return {
    url: url.text,
    branch: checkedBranch(fields.branch),
    ...(credential === undefined
      ? {}
      : { credential_sealed: credential && sealedCredential(fields.id, credential, sealer) }),
  }
}

function refuseMisfit(url: RepositoryUrl, credential: CredentialBody): void {
  if (credential.kind !== url.protocol) {
    throw CREDENTIAL_MISFIT(url.protocol, credential.kind)
  }
}

/** As the worker's commands want it, so that it is handed over without being taken apart. */
export function sealedCredential(id: string, credential: CredentialBody, sealer: Sealer): string {
  const stored =
    credential.kind === 'https'
      ? credential
      : { kind: 'ssh', privateKey: credential.private_key, knownHosts: credential.known_hosts }
  return sealer.seal(JSON.stringify(stored), `repositories/${id}/credential`)
}
