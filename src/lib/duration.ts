/** A whole number and its unit: 500ms, 30s, 5m, 2h. */
export const DURATION_PATTERN = '^(0|[1-9][0-9]{0,8})(ms|s|m|h)$'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** The milliseconds of a duration such as `60s` or `5m`; undefined for a text that is none. */
export function readDuration(text: string): number | undefined {
  const [, number, unit] = new RegExp(DURATION_PATTERN).exec(text) ?? []
  return number === undefined || unit === undefined ? undefined : Number(number) * (UNIT_MS[unit] ?? 0)
}

/** The shortest way to write milliseconds as a duration: 300000 is `5m`. */
export function writeDuration(ms: number): string {
  const fits = Object.entries(UNIT_MS).filter(([, unitMs]) => ms >= unitMs && ms % unitMs === 0)
  const [unit, unitMs] = fits.at(-1) ?? ['ms', 1]
  return `${ms / unitMs}${unit}`
}
