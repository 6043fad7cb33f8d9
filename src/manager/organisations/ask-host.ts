import type { HttpRequest } from '#lib/http-request.ts'
import { secondsToWait } from '#lib/retry-after.ts'
import type { HttpClient } from '#manager/http.ts'
import { HOST_API_FAILED, HOST_QUOTA_USED, TOKEN_REFUSED } from './errors.ts'

/** 100 repositories as GitHub describes them are about 600 KiB. */
const MOST_BYTES = 8 * 1024 * 1024

export interface Asked {
  readonly http: HttpClient
  readonly server: string
  readonly ca: string | null
}

export type HostAnswer =
  | { readonly kind: 'found'; readonly body: unknown; readonly headers: Readonly<Record<string, string>> }
  /** Not there, or somewhere else: redirects are never followed. */
  | { readonly kind: 'missing' }
  /** As it was when the ETag was given. */
  | { readonly kind: 'unchanged' }

/** One question to a Git host's API. Throws what stands in the way, with the time to wait where the host says one. */
export async function askHost({ http, server, ca }: Asked, request: HttpRequest): Promise<HostAnswer> {
  const { status, headers, body } = await http.send(request, {
    mostBytes: MOST_BYTES,
    ...(ca === null ? {} : { ca }),
  })
  if (status === 200) {
    return { kind: 'found', body: parsed(body, server), headers }
  }
  if (status === 304) {
    return { kind: 'unchanged' }
  }
  const seconds = secondsToWait(headers)
  if (status === 429 || (status === 403 && seconds !== undefined)) {
    const used = HOST_QUOTA_USED(server)
    throw seconds === undefined ? used : used.after(seconds)
  }
  if (status === 401 || status === 403) {
    throw TOKEN_REFUSED(server, status)
  }
  if (status === 404 || status === 410 || (status >= 300 && status < 400)) {
    return { kind: 'missing' }
  }
  throw HOST_API_FAILED(server, `it answers with status ${status}`)
}

function parsed(body: string, server: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw HOST_API_FAILED(server, 'its answer is no JSON')
  }
}
