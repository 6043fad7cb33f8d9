import type { PasskeyOptions } from '#contract/rest/passkeys.ts'
import { ApiError, postOnce } from './client.ts'

type Creation = Parameters<typeof PublicKeyCredential.parseCreationOptionsFromJSON>[0]
type Request = Parameters<typeof PublicKeyCredential.parseRequestOptionsFromJSON>[0]

/** Lets a device of this person make a passkey; gives what it answered. */
export async function makePasskey(password: string): Promise<unknown> {
  const { options } = await postOnce<PasskeyOptions>(
    '/me/passkeys/begin',
    password === '' ? {} : { password },
  )
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as Creation)
  return await answerOf(navigator.credentials.create({ publicKey }))
}

/** Lets a device say who is there; gives what it answered. */
export async function askPasskey(): Promise<unknown> {
  const { options } = await postOnce<PasskeyOptions>('/sign-in/passkey/begin')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as Request)
  return await answerOf(navigator.credentials.get({ publicKey }))
}

async function answerOf(asked: Promise<Credential | null>): Promise<unknown> {
  try {
    return ((await asked) as PublicKeyCredential | null)?.toJSON()
  } catch {
    // Browsers say the same for a person who does not want to, a device without passkeys and one that takes too long.
    throw new ApiError({
      code: 'NO_PASSKEY',
      status: 0,
      detail: 'The browser gave no passkey.',
      hint: 'Try again and follow what it asks, or sign in with your password.',
    })
  }
}
