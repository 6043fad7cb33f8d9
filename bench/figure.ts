/** One line of the table. */
export interface Figure {
  readonly id: string
  readonly what: string
  readonly value: number
  readonly unit: 'ms' | 'MiB' | 'KiB' | '%' | 'ratio' | '/s' | ''
  /** Of performance.md; shown, never asserted. */
  readonly target: string
  /** Every single measurement, for whoever wants to look closer. */
  readonly samples?: readonly number[]
  readonly note?: string
}
