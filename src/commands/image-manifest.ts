import { asFairleadError } from '#lib/errors.ts'
import type { Secret } from '#lib/secret.ts'
import {
  askToken,
  getLabels,
  getManifest,
  headManifest,
  type ManifestAnswer,
  type ManifestWish,
  registryOrigin,
} from '#programs/registry.ts'
import { checkedAddresses } from './checked-addresses.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { type RegistryData, registryAccess } from './image-data.ts'
import { REGISTRY_UNREACHABLE } from './image-errors.ts'

export interface ManifestQuestion {
  readonly registry: RegistryData
  readonly repository: string
  readonly reference: string
  /** Nobody but a repository's content names it: neither it nor where it hands out tokens may be a private address. */
  readonly isUnvouched?: boolean
}

export type FoundManifest =
  | { readonly kind: 'present'; readonly digest: string }
  | { readonly kind: 'missing' }
  /** The registry did not answer, or not in a way that says it. The engine has the last word. */
  | { readonly kind: 'unknown' }

/** Asks the registry for a manifest, with a token where it wants one. Never throws but when cancelled. */
export async function lookForManifest(hands: Hands, question: ManifestQuestion): Promise<FoundManifest> {
  try {
    const answer = await askManifest(hands, question)
    return answer.kind === 'present' || answer.kind === 'missing' ? answer : { kind: 'unknown' }
  } catch (error) {
    hands.signal.throwIfAborted()
    const { address } = question.registry
    hands.say(`registry ${address} was not asked for the image: ${asFairleadError(error).message}`, 'info')
    return { kind: 'unknown' }
  }
}

/** The registry's own answer, after an exchange of the password for a token where it wants one. */
export async function askManifest(hands: Hands, question: ManifestQuestion): Promise<ManifestAnswer> {
  return await withToken(hands, question, wish => hands.perform(headManifest(wish)))
}

/** What the registry has under a tag, with what it was made from when its labels say so. */
export async function askContent(hands: Hands, question: ManifestQuestion): Promise<ManifestContent> {
  return await withToken(hands, question, async wish => {
    const answer = await hands.perform(getManifest(wish))
    if (answer.kind !== 'present' || answer.config === undefined) {
      return answer
    }
    const labels = await hands.perform(getLabels({ ...wish, reference: answer.config }))
    const tree: unknown = labels?.[LABEL.tree]
    return typeof tree === 'string' ? { ...answer, tree: tree.slice(0, 128) } : answer
  })
}

export type ManifestContent = ManifestAnswer & { readonly tree?: string }

export async function withToken<A extends ManifestAnswer>(
  hands: Hands,
  question: ManifestQuestion,
  asked: (wish: ManifestWish) => Promise<A>,
): Promise<A> {
  const { repository, reference, isUnvouched = false } = question
  const access = registryAccess(question.registry)
  const addressFor = (url: string) => addressOf(hands, url, access.address)
  const registry = isUnvouched
    ? { ...access, connectTo: await addressFor(registryOrigin(access.address)) }
    : access
  const ask = (token?: Secret) => asked({ registry, repository, reference, token })
  const first = await ask()
  if (first.kind !== 'challenge') {
    return first
  }
  const challenge = isUnvouched
    ? { ...first.challenge, connectTo: await addressFor(first.challenge.realm) }
    : first.challenge
  const token = await hands.perform(askToken(challenge, registry, repository))
  return token ? ask(token) : first
}

/** The checked address to connect to for a URL; parsing it makes every spelling of an address the plain one. */
async function addressOf(hands: Hands, url: string, registry: string): Promise<string | undefined> {
  const unreachable = (problem: string) => REGISTRY_UNREACHABLE(registry, problem)
  if (!URL.canParse(url)) {
    throw unreachable('this is no address')
  }
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const [address] = await checkedAddresses(hands, host, unreachable)
  return address
}
