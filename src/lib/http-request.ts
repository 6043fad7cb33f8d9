import type { Secret } from './secret.ts'

/** A request to a server on the outside, as data: made by pure functions, sent by manager/http.ts. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** https://…; http:// only to addresses that the manager's owner allowed. No user name or password in it. */
  readonly url: string
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | Secret>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case; what came several times is joined by ", ". */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
