import { asFairleadError } from '#lib/errors.ts'
import type { Secret } from '#lib/secret.ts'
import { askToken, headManifest, type ManifestAnswer, registryOrigin } from '#programs/registry.ts'
import { checkedAddresses } from './checked-addresses.ts'
import type { Hands } from './command.ts'
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
  const { repository, reference, isUnvouched = false } = question
  const access = registryAccess(question.registry)
  const addressFor = (url: string) => addressOf(hands, url, access.address)
  const registry = isUnvouched
    ? { ...access, connectTo: await addressFor(registryOrigin(access.address)) }
    : access
  const ask = (token?: Secret) => hands.perform(headManifest({ registry, repository, reference, token }))
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
