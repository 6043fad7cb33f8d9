import type { UsageDocument } from '#contract/rest/usage.ts'
import { sizeText } from '#web/parts/size.ts'

export interface UsageLines {
  /** Seconds since 1970. */
  readonly times: number[]
  /** Of all containers together; null: nobody looked, or it is not known yet. */
  readonly processors: (number | null)[]
  readonly memory: (number | null)[]
}

/** Nobody looked for longer than this: the line is interrupted. */
const GAP_MS = 30_000

export function linesOf(looks: readonly UsageDocument[]): UsageLines {
  const lines: UsageLines = { times: [], processors: [], memory: [] }
  let before: number | undefined
  for (const { at, containers } of looks) {
    const time = Date.parse(at)
    if (before !== undefined && time - before > GAP_MS) {
      add(lines, before / 1000 + 1, [null, null])
    }
    const known = containers.flatMap(({ processors }) => processors ?? [])
    const isUnknown = known.length === 0 && containers.length > 0
    add(lines, time / 1000, [
      isUnknown ? null : sum(known),
      sum(containers.map(({ memory_bytes }) => memory_bytes)),
    ])
    before = time
  }
  return lines
}

function add(lines: UsageLines, time: number, [processors, memory]: [number | null, number | null]): void {
  lines.times.push(time)
  lines.processors.push(processors)
  lines.memory.push(memory)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** `3.2 %`, `140 %` of one processor. */
export function processorText(processors: number): string {
  const percent = processors * 100
  return `${percent < 10 ? Math.round(percent * 10) / 10 : Math.round(percent)} %`
}

/** What a plot says, in words. */
export function wordsOf(
  what: string,
  amounts: readonly (number | null)[],
  text: (amount: number) => string,
): string {
  const known = amounts.flatMap(each => each ?? [])
  const now = known.at(-1)
  return now === undefined
    ? `${what}: nothing is known yet.`
    : `${what} of the last ten minutes: ${text(now)} now, ${text(Math.max(...known))} at most.`
}

export function memoryText({
  memory_bytes,
  memory_limit_bytes,
}: UsageDocument['containers'][number]): string {
  return `${sizeText(memory_bytes)} of ${sizeText(memory_limit_bytes)}`
}
