import { join } from 'node:path'
import { randomText } from '#lib/id.ts'
import { Secret } from '#lib/secret.ts'
import { putFile } from '#programs/docker-archive.ts'
import { startContainer } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { CONTAINER_START_REFUSED } from './container-errors.ts'

/** Where a container with a token finds it, in memory. */
export const TOKEN_PLACE = { folder: '/run/secrets', name: 'jupyter_token', uid: 1000 } as const

const TOKEN_BYTES = 32

export interface TokenOwner {
  readonly app: string
  readonly deployment: string
}

/**
 * Starts a container with a token that nothing knew before. First it is kept here, for the proxy, in a file that only the
 * worker can read; the container waits until it has its own copy. Gives the refusal of the engine, if there is one.
 */
export async function startWithToken(
  hands: Hands,
  id: string,
  owner: TokenOwner,
): Promise<{ readonly refused: string } | undefined> {
  const token = randomText(TOKEN_BYTES)
  const path = tokenFile(hands.host.workspace, owner)
  await hands.perform({
    kind: 'file',
    operation: 'make-folder',
    path: tokenFolder(hands.host.workspace, owner.app),
    mode: 0o700,
    read: () => undefined,
  })
  await hands.perform({
    kind: 'file',
    operation: 'write',
    path,
    content: token,
    mode: 0o600,
    read: () => undefined,
  })
  const refusal = await hands.perform(startContainer(hands.host.dockerSocket, id))
  if (refusal) {
    return refusal
  }
  await putToken(hands, id, { owner, token })
  return undefined
}

/** Gives a container that runs the token that was made for it: whoever started it may have been killed before. */
export async function giveTokenAgain(hands: Hands, id: string, owner: TokenOwner): Promise<void> {
  await putToken(hands, id, { owner, token: (await readToken(hands, owner)).reveal() })
}

async function putToken(
  hands: Hands,
  id: string,
  { owner, token }: { readonly owner: TokenOwner; readonly token: string },
): Promise<void> {
  const { folder, name, uid } = TOKEN_PLACE
  const file = { name, content: token, mode: 0o400, uid }
  const gone = await hands.perform(putFile(hands.host.dockerSocket, { id, folder, file }))
  if (gone) {
    throw CONTAINER_START_REFUSED(owner.app, gone.refused)
  }
}

/** The token of a container that was started with one. */
export async function readToken(hands: Hands, owner: TokenOwner): Promise<Secret> {
  const path = tokenFile(hands.host.workspace, owner)
  return await hands.perform({
    kind: 'file',
    operation: 'read',
    path,
    maxBytes: 1_024,
    read: ({ text = '' }) => new Secret(text.trim()),
  })
}

/** Forgets the tokens of an app, but for those of these deployments. */
export async function forgetTokens(hands: Hands, app: string, keep: readonly string[]): Promise<void> {
  const folder = tokenFolder(hands.host.workspace, app)
  const names = await hands.perform({
    kind: 'file',
    operation: 'list',
    path: folder,
    read: found => found.names ?? [],
  })
  const gone =
    keep.length === 0 ? [folder] : names.filter(each => !keep.includes(each)).map(each => join(folder, each))
  for (const path of names.length === 0 ? [] : gone) {
    await hands.perform({ kind: 'file', operation: 'remove', path, read: () => undefined })
  }
}

/** Forgets the token of one container. */
export async function forgetToken(hands: Hands, owner: TokenOwner): Promise<void> {
  const path = tokenFile(hands.host.workspace, owner)
  await hands.perform({ kind: 'file', operation: 'remove', path, read: () => undefined })
}

/** A server may print the addresses at which it is opened, its token in them. */
export function withoutToken(line: string): string {
  return line.replace(/([?&]token=)[^&\s"'<>]+/g, '$1[secret]')
}

/** Where the token of a deployment's container is kept on this host. */
export function tokenFile(workspace: string, { app, deployment }: TokenOwner): string {
  return join(tokenFolder(workspace, app), deployment)
}

function tokenFolder(workspace: string, app: string): string {
  return join(workspace, 'tokens', app)
}
