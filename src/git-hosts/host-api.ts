import { Type } from 'typebox'
import type { HttpRequest } from '#lib/http-request.ts'
import type { Secret } from '#lib/secret.ts'

/** An owner at a Git host, and with which token its API is asked. */
export interface OwnerPlace {
  /** host or host:port */
  readonly server: string
  /** Login of an organisation, path of a group. */
  readonly owner: string
  readonly token: Secret | undefined
}

export interface RemoteOwner {
  readonly id: string
  readonly path: string
}

export interface RemoteRepository {
  /** Stays the same when it is renamed or moved. */
  readonly id: string
  /** Owner and name, as in its address. */
  readonly path: string
  readonly branch: string | undefined
  readonly topics: readonly string[]
  /** Whether only its members may read it; missing when its host does not say. */
  readonly isPrivate?: boolean
  /** Why it is never registered by itself. */
  readonly unfit: 'fork' | 'archived' | 'disabled' | 'empty' | undefined
}

/** How a Git host's API is asked for an owner and its repositories. Pure: requests, and what answers say. */
export interface HostApi {
  /** Name of the Git host that it belongs to. */
  readonly name: string
  /** User name that goes with a token when a repository is read over HTTPS. */
  readonly gitUsername: string
  readonly owner: (place: OwnerPlace) => HttpRequest
  readonly readOwner: (body: unknown) => RemoteOwner
  /** One page of all repositories of the owner, from 1 on. */
  readonly repositories: (place: OwnerPlace, page: number) => HttpRequest
  readonly readRepositories: (body: unknown) => readonly RemoteRepository[]
  readonly repository: (place: OwnerPlace, path: string) => HttpRequest
  readonly readRepository: (body: unknown) => RemoteRepository
  /** Whether a file is at the tip of the default branch: 200 or 404. */
  readonly file: (place: OwnerPlace, repository: RemoteRepository, file: string) => HttpRequest
}

/** Only the number of the next page is taken from an answer, never the address: a token goes nowhere else. */
export function nextPage(link: string | undefined): number | undefined {
  for (const part of (link ?? '').split(',')) {
    const [, address = ''] = /^\s*<([^>]*)>\s*;(?=[^,]*\brel="?next"?)/.exec(part) ?? []
    const page = /[?&]page=(\d{1,6})(?:&|$)/.exec(address)?.[1]
    if (page !== undefined) {
      return Number(page)
    }
  }
  return undefined
}

/** Each part of a path encoded, the slashes kept. */
export function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** What the APIs leave out or give as null. */
export const optional = {
  boolean: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  text: Type.Optional(Type.Union([Type.String({ maxLength: 1024 }), Type.Null()])),
  topics: Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems: 1000 }), Type.Null()])),
} as const
