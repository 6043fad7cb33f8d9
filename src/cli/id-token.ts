import type { IdTokenSource } from './config.ts'
import { ID_TOKEN_NOT_GIVEN } from './errors.ts'

/** The token with which a CI job says who it is. */
export async function readIdToken(source: IdTokenSource): Promise<string> {
  if (source.kind === 'given') {
    return source.token
  }
  const url = new URL(source.url)
  url.searchParams.set('audience', source.audience)
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${source.bearer}`, accept: 'application/json' },
    redirect: 'error',
  }).catch(() => {
    throw ID_TOKEN_NOT_GIVEN('it does not answer')
  })
  const { value } = (await answer.json().catch(() => ({}))) as { value?: unknown }
  if (!answer.ok || typeof value !== 'string') {
    throw ID_TOKEN_NOT_GIVEN(`it answers ${answer.status}`)
  }
  return value
}
