/** The known word that was probably meant: at most a third of its letters differ; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase()
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) > 3 || wanted.length > 64) {
      continue
    }
    const found = distance(wanted, candidate.toLowerCase())
    if (found <= Math.max(1, candidate.length / 3) && (!best || found < best.distance)) {
      best = { word: candidate, distance: found }
    }
  }
  return best?.word
}

/** Levenshtein, where two neighbours that changed places count once. */
function distance(from: string, to: string): number {
  let older: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1] ? 0 : 1
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current.push(
        Math.min(
          (above[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (above[column - 1] ?? 0) + same,
          swapped && row > 1 && column > 1 ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    older = above
    above = current
  }
  return above[to.length] ?? 0
}
