type Model = Readonly<Record<string, unknown>>

/** With what `<<` brings: the nearer value counts, as in YAML 1.1. Undefined for what is no map. */
export function mergedOf(value: unknown): Model | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return undefined
  }
  const { '<<': base, ...own } = value as Model
  if (base === undefined) {
    return own
  }
  const bases = [base].flat().map(mergedOf)
  return bases.every(each => each !== undefined) ? Object.assign({}, ...bases.reverse(), own) : undefined
}
