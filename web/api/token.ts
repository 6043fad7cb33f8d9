import { shallowRef } from 'vue'

const KEY = 'fairlead-token'

/** A token instead of an account. It stays in the tab: it is gone when that is closed, and no other site can send it. */
export const token = shallowRef(globalThis.sessionStorage?.getItem(KEY) ?? null)

export function keepToken(text: string | null): void {
  if (text === null) {
    sessionStorage.removeItem(KEY)
  } else {
    sessionStorage.setItem(KEY, text)
  }
  token.value = text
}

/** Counts how often the manager said that it knows nobody here (any more). */
export const refusals = shallowRef(0)
