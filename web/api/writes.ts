/** How long the same write that nobody answered counts as the same: a person tries again within minutes. */
const KEPT_MS = 300_000

interface Unanswered {
  readonly key: string
  readonly at: number
}

const atWork = new Map<string, Promise<unknown>>()
const unanswered = new Map<string, Unanswered>()

/** One write at a time of the same kind: a second click while the first is under way gets the answer of the first. */
export async function together<T>(name: string, work: () => Promise<T>): Promise<T> {
  const running = atWork.get(name) ?? work().finally(() => atWork.delete(name))
  atWork.set(name, running)
  return (await running) as T
}

/**
 * Hands the work the Idempotency-Key with which the manager tells a repetition from another write. One that was not answered,
 * which may be done all the same, keeps its key for when the person tries again.
 */
export async function withKey<T>(
  name: string,
  { work, isAnswer }: { work: (key: string) => Promise<T>; isAnswer: (error: unknown) => boolean },
): Promise<T> {
  const before = unanswered.get(name)
  const key = before && Date.now() - before.at < KEPT_MS ? before.key : newKey()
  unanswered.delete(name)
  try {
    return await work(key)
  } catch (error) {
    if (!isAnswer(error)) {
      unanswered.set(name, { key, at: Date.now() })
    }
    throw error
  }
}

/** Random UUIDs are given only where the page came encrypted; random bytes are given everywhere. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
