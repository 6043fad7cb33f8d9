/** What the straight line that lies closest (least squares) rises by for each unit of the times; 0 for less than two. */
export function slopeOf(times: readonly number[], values: readonly number[]): number {
  const middle = mean(times)
  const height = mean(values)
  const spread = times.reduce((sum, time) => sum + (time - middle) ** 2, 0)
  const product = times.reduce(
    (sum, time, index) => sum + (time - middle) * ((values[index] ?? 0) - height),
    0,
  )
  return spread === 0 ? 0 : product / spread
}

const BARS = '▁▂▃▄▅▆▇█'
const WIDTH = 40

/** A line of bars: as many means of neighbours as fit, from the lowest of all to the highest. */
export function sparkline(values: readonly number[]): string {
  const size = Math.max(1, Math.ceil(values.length / WIDTH))
  const means = Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    mean(values.slice(index * size, (index + 1) * size)),
  )
  const [least, most] = [Math.min(...means), Math.max(...means)]
  return means
    .map(each => BARS[Math.round(((each - least) / (most - least || 1)) * (BARS.length - 1))])
    .join('')
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
