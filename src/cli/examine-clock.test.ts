import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { checkClock } from './examine-clock.ts'

const at = (skewMs: number) => ({ skewMs, isOff: Math.abs(skewMs) > 30_000 })

test('R99 the clock of the manager is wrong where most agents are off to the same side, and not where they are apart', () => {
  const wrong = (...skews: number[]) => checkClock(skews.map(at)).filter(({ mend }) => mend !== null)
  match(wrong(60_000, 61_000, 0)[0]?.detail ?? '', /behind the clocks of 2 of 3 agents/)
  match(wrong(-60_000, -61_000)[0]?.detail ?? '', /ahead of the clocks of 2 of 2 agents/)
  match(wrong(-60_000, -61_000)[0]?.mend ?? '', /NTP/)
  for (const skews of [[60_000], [60_000, -60_000], [60_000, 61_000, 0, 0], [0, 500], []]) {
    deepEqual(wrong(...skews), [], skews.join())
  }
})

test('with how many agents it agrees is told, and nothing where none tells its time', () => {
  equal(checkClock([at(0), at(60_000)])[0]?.detail, 'it agrees with those of 1 of 2 agents')
  deepEqual(checkClock([]), [])
})
