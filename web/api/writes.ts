/** How long the same write that nobody answered counts as the same: a person tries again within minutes. */
const KEPT_MS = 300_000

interface Unanswered {
  readonly key: string
  readonly at: number
}

const atWork = new Map<string, Promise<unknown>>()
/** By the mark of a write: there are passwords in its body, which nothing keeps longer than it is at work. */
const unanswered = new Map<string, Unanswered>()
const SEED = crypto.getRandomValues(new Uint32Array(2))

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
  forgetOld()
  const mark = markOf(name)
  const key = unanswered.get(mark)?.key ?? newKey()
  unanswered.delete(mark)
  try {
    return await work(key)
  } catch (error) {
    if (!isAnswer(error)) {
      unanswered.set(mark, { key, at: Date.now() })
    }
    throw error
  }
}

function forgetOld(): void {
  for (const [mark, { at }] of unanswered) {
    if (Date.now() - at >= KEPT_MS) {
      unanswered.delete(mark)
    }
  }
}

/**
 * Tells writes apart without keeping them. SHA-256 is given only where the page came encrypted; of two with one mark, which is
 * as good as impossible, the manager refuses the second: its key is of another write.
 */
function markOf(text: string): string {
  let [a, b] = [SEED[0] ?? 0, SEED[1] ?? 0]
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x9e3779b1)
    b = Math.imul(b ^ unit, 0x5f356495)
    a ^= a >>> 15
    b ^= b >>> 13
  }
  return `${(a >>> 0).toString(16)} ${(b >>> 0).toString(16)} ${text.length}`
}

/** Random UUIDs are given only where the page came encrypted; random bytes are given everywhere. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
