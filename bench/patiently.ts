import type { Session } from '#cli/session.ts'

const PATIENCE_MS = 300_000
const PAUSE_MS = 200

/** Asks again while a manager that was killed is away. */
export async function patiently<T>({ clock }: Pick<Session, 'clock'>, ask: () => Promise<T>): Promise<T> {
  const began = clock.monotonic()
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (clock.monotonic() - began > PATIENCE_MS) {
        throw error
      }
      await clock.sleep(PAUSE_MS)
    }
  }
}
