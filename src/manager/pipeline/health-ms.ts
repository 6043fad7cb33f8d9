import type { Tell } from '#targets/target.ts'

/** What the app gives itself to become healthy (`health.within`, `verify.within`), in ms. */
export function healthMs(tells: readonly Tell[] = []): number {
  const times = tells.map(({ data }) => {
    const { withinMs, health } = data as { withinMs?: number; health?: { withinMs?: number } }
    return withinMs ?? health?.withinMs ?? 0
  })
  return Math.max(0, ...times)
}
