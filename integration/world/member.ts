import type { AddedPerson } from '#contract/rest/people.ts'
import type { MadeToken } from '#contract/rest/tokens.ts'

/** Chooses a password for an account that was just made, signs in, and makes a token; gives that. */
export async function tokenOf(url: string, { invitation }: AddedPerson): Promise<string> {
  const headers = { 'content-type': 'application/json', origin: url }
  const post = async (path: string, body: object, cookie = '') =>
    await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { ...headers, ...(cookie === '' ? {} : { cookie }) },
      body: JSON.stringify(body),
    })
  const accepted = await post('/invitations', { code: invitation.code, password: 'correct horse battery' })
  const cookie = (accepted.headers.get('set-cookie') ?? '').split(';')[0]
  const made = await post('/tokens', { name: 'shell' }, cookie)
  return ((await made.json()) as MadeToken).token
}
