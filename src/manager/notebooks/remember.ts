interface Kept {
  readonly kind: string
  readonly key: string
  /** So many of a kind are kept, the last that were asked for. */
  readonly most: number
}

const memories = new WeakMap<object, Map<string, Map<string, Promise<unknown>>>>()

/** The answer of whoever asked first; a failure is not kept. All is forgotten with its owner. */
export async function remember<T>(
  owner: object,
  { kind, key, most }: Kept,
  ask: () => Promise<T>,
): Promise<T> {
  const memory = memories.get(owner) ?? new Map<string, Map<string, Promise<unknown>>>()
  memories.set(owner, memory)
  const kept = memory.get(kind) ?? new Map<string, Promise<unknown>>()
  memory.set(kind, kept)
  const answer = (kept.get(key) as Promise<T> | undefined) ?? ask()
  kept.delete(key)
  kept.set(key, answer)
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - most))) {
    kept.delete(old)
  }
  try {
    return await answer
  } catch (error) {
    if (kept.get(key) === answer) {
      kept.delete(key)
    }
    throw error
  }
}
