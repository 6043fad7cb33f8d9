import { asFairleadError } from '#lib/errors.ts'
import type { Secret } from '#lib/secret.ts'
import { askToken, headManifest, type ManifestAnswer } from '#programs/registry.ts'
import type { Hands } from './command.ts'
import { type RegistryData, registryAccess } from './image-data.ts'

export interface ManifestQuestion {
  readonly registry: RegistryData
  readonly repository: string
  readonly reference: string
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
  const { repository, reference } = question
  const registry = registryAccess(question.registry)
  const ask = (token?: Secret) => hands.perform(headManifest({ registry, repository, reference, token }))
  const first = await ask()
  if (first.kind !== 'challenge') {
    return first
  }
  const token = await hands.perform(askToken(first.challenge, registry, repository))
  return token ? ask(token) : first
}
