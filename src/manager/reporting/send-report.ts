import type { Kysely } from 'kysely'
import { gitHostNamed } from '#git-hosts/index.ts'
import type { Exchange, ReportPlace, Verdict } from '#git-hosts/report.ts'
import { Secret } from '#lib/secret.ts'
import type { HttpClient } from '#manager/http.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Tables } from '#manager/store/tables.ts'
import { reportWithRepository, tokenKind } from './queries.ts'
import type { ReportNote } from './report-note.ts'
import { reportText } from './report-text.ts'
import { reportTokenPlace } from './set-report.ts'

export interface ReportingParts {
  readonly db: Kysely<Tables>
  readonly sealer: Sealer
  readonly http: HttpClient
}

/** What was tried before. */
export interface Earlier {
  readonly remote: string | undefined
  readonly isRetry: boolean
}

type Settings = NonNullable<Awaited<ReturnType<typeof reportWithRepository>>>

/** A Git host answers in less; the outbox asks again anyway. */
const TIMEOUT_MS = 15_000
const MOST_BYTES = 1024 * 1024

/** Tells a repository's Git host about one state of one commit; undefined when nobody wants that any more. */
export async function sendReport(
  parts: ReportingParts,
  repositoryId: string,
  note: ReportNote,
  earlier: Earlier,
): Promise<Verdict | undefined> {
  const settings = await reportWithRepository(parts.db, repositoryId)
  const reporting = settings && gitHostNamed(settings.git_host)?.reporting
  const login = settings && loginOf(settings, parts.sealer)
  if (!settings || settings.is_on === 0 || !reporting || !login) {
    return undefined
  }
  const text = reportText(note, { details: settings.details === 1 })
  const place: ReportPlace = {
    api: settings.api,
    repository: settings.url,
    ...login,
    deployments: settings.deployments === 1,
  }
  return await converse(reporting.report({ ...text, ...earlier }, place), parts.http, settings.ca)
}

async function converse(exchange: Exchange, http: HttpClient, ca: string | null): Promise<Verdict> {
  const options = { timeoutMs: TIMEOUT_MS, mostBytes: MOST_BYTES, ...(ca === null ? {} : { ca }) }
  for (let turn = exchange.next(); ; ) {
    if (turn.done) {
      return turn.value
    }
    turn = exchange.next(await http.send(turn.value, options))
  }
}

function loginOf(settings: Settings, sealer: Sealer): Pick<ReportPlace, 'token' | 'username'> | undefined {
  const { repository_id: id, token_sealed: own, credential_sealed: lent } = settings
  switch (tokenKind(settings)) {
    case 'own':
      return {
        token: new Secret(sealer.open(own ?? '', reportTokenPlace(id))),
        username: settings.username ?? undefined,
      }
    case 'credential': {
      const credential = JSON.parse(sealer.open(lent ?? '', `repositories/${id}/credential`)) as {
        username: string
        password: string
      }
      return { token: new Secret(credential.password), username: settings.username ?? credential.username }
    }
    default:
      return undefined
  }
}
