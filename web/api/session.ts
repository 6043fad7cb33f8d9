import { computed, shallowRef, watch } from 'vue'
import type { MeDocument, SignedIn } from '#contract/rest/people.ts'
import { ApiError, get, post, postOnce } from './client.ts'
import { askPasskey } from './passkeys.ts'
import { keepToken, refusals } from './token.ts'

const MOST_TRIES = 5
const AGAIN_MS = 1_000

/** Undefined: not asked yet; null: nobody. */
const me = shallowRef<MeDocument | null>()
let asking: Promise<void> | undefined

/** Who uses this tab: by the cookie of an account, which no script can read, or with a token. */
export const session = {
  me: computed(() => me.value ?? null),
  isOpen: computed(() => me.value !== undefined && me.value !== null),
  /** Nothing but the own account is open until there is a second factor. */
  needsFactor: computed(() => me.value?.factor_needed === true),
  /** Asks anew who this is: something of the account has changed. */
  async refresh(): Promise<void> {
    me.value = await get<MeDocument>('/me')
  },
  /** Asks the manager who this is, once. */
  async ready(): Promise<void> {
    if (me.value === undefined) {
      asking ??= readMe()
      await asking
    }
  },
  async openWithToken(text: string): Promise<void> {
    keepToken(text)
    try {
      me.value = await get<MeDocument>('/me')
    } catch (error) {
      keepToken(null)
      throw error
    }
  },
  async signIn(email: string, password: string): Promise<SignedIn['next']> {
    keepToken(null)
    const { next } = await postOnce<SignedIn>('/sign-in', { email, password })
    return await afterStep(next)
  },
  async signInByPasskey(): Promise<SignedIn['next']> {
    keepToken(null)
    const response = await askPasskey()
    const { next } = await postOnce<SignedIn>('/sign-in/passkey', { response })
    return await afterStep(next)
  },
  async confirm(code: string): Promise<SignedIn['next']> {
    const { next } = await postOnce<SignedIn>('/sign-in/second-factor', { code })
    return await afterStep(next)
  },
  async makeFirst(account: { code: string; name: string; email: string; password: string }): Promise<void> {
    keepToken(null)
    const { next } = await postOnce<SignedIn>('/first-start', account)
    await afterStep(next)
  },
  async accept(code: string, password: string): Promise<void> {
    keepToken(null)
    const { next } = await postOnce<SignedIn>('/invitations', { code, password })
    await afterStep(next)
  },
  async close(): Promise<void> {
    if (me.value?.session) {
      await post('/sign-out').catch(() => undefined)
    }
    keepToken(null)
    me.value = null
  },
}

// A session or token that ended meanwhile.
watch(refusals, () => {
  if (me.value) {
    keepToken(null)
    me.value = null
  }
})

async function afterStep(next: SignedIn['next']): Promise<SignedIn['next']> {
  if (next === 'done') {
    me.value = await get<MeDocument>('/me')
  }
  return next
}

/** Nobody is signed in when the manager says so; one that does not answer says nothing. */
async function readMe(): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      me.value = await get<MeDocument>('/me')
      break
    } catch (error) {
      const isRefusal = error instanceof ApiError && [401, 403].includes(error.status)
      if (isRefusal || tries === MOST_TRIES) {
        me.value = null
        break
      }
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
    }
  }
  asking = undefined
}
