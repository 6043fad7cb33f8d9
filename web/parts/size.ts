const MB = 1_048_576
const GB = 1_073_741_824

/** `96 MB`, `1.5 GB`. */
export function sizeText(bytes: number): string {
  return bytes >= GB ? `${rounded(bytes / GB)} GB` : `${rounded(bytes / MB)} MB`
}

/** As it is written in a field: `512 MB` or `2 GB`, and a number alone is one of gigabytes. Undefined: it is none. */
export function sizeFrom(text: string): number | undefined {
  const found = /^([0-9]+(?:[.,][0-9]+)?)\s*(m|mb|mib|g|gb|gib|t|tb|tib)?$/i.exec(text.trim())
  if (!found) {
    return undefined
  }
  const number = Number((found[1] ?? '').replace(',', '.'))
  const unit = { m: MB, g: GB, t: 1024 * GB }[(found[2] ?? 'g').charAt(0).toLowerCase()] ?? GB
  return Math.round(number * unit)
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10
}
