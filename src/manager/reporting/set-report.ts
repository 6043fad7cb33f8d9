import type { ReportChange } from '#contract/rest/repositories.ts'
import { GIT_HOSTS, gitHostAt, gitHostNamed } from '#git-hosts/index.ts'
import { serverOf } from '#git-hosts/repository-path.ts'
import type { RepositoryRecord } from '#manager/repositories/queries.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { REPORT_API_INVALID, REPORT_HOST_UNKNOWN, REPORT_TOKEN_NEEDED } from './errors.ts'
import type { ReportRow } from './queries.ts'

/** The row that a change leads to; what it does not name stays, or becomes what fits the address of the repository. */
export function reportAfter(repository: RepositoryRecord, change: ReportChange, sealer: Sealer): ReportRow {
  const { report: old, url } = repository
  const server = serverOf(url)
  const name = change.git_host ?? old?.git_host ?? gitHostAt(server)?.name ?? repository.hook?.git_host
  const reporting = name === undefined ? undefined : gitHostNamed(name)?.reporting
  if (name === undefined || !reporting) {
    const known = GIT_HOSTS.filter(each => each.reporting).map(each => each.name)
    throw REPORT_HOST_UNKNOWN(repository.name, name, known.join(', '))
  }
  const kept = old?.git_host === name ? old.api : undefined
  const api = change.api === undefined ? (kept ?? reporting.apiAt(server)) : checkedApi(change.api)
  if (old?.token_sealed && change.token === undefined && originOf(api) !== originOf(old.api)) {
    throw REPORT_TOKEN_NEEDED(api)
  }
  return {
    repository_id: repository.id,
    is_on: numberOf(change.on) ?? old?.is_on ?? 1,
    git_host: name,
    api,
    username: change.username === undefined ? (old?.username ?? null) : change.username,
    token_sealed:
      change.token === undefined
        ? (old?.token_sealed ?? null)
        : change.token && sealer.seal(change.token, reportTokenPlace(repository.id)),
    deployments: numberOf(change.deployments) ?? old?.deployments ?? 1,
    details: numberOf(change.details) ?? old?.details ?? 0,
    problem: null,
  }
}

/** Where the token of a repository's reports is sealed for. */
export function reportTokenPlace(repositoryId: string): string {
  return `reports/${repositoryId}/token`
}

function checkedApi(text: string): string {
  const url = URL.parse(text)
  const isPlain =
    url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
  if (!isPlain || url.password !== '') {
    throw REPORT_API_INVALID(text.slice(0, 100))
  }
  return url.href.replace(/\/+$/, '')
}

function originOf(api: string): string {
  return new URL(api).origin
}

function numberOf(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}
