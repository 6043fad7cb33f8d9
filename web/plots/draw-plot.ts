import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** Seconds since 1970, then for each line its amounts, null where there is none. */
export type PlotData = [times: number[], ...lines: (number | null)[][]]

export interface PlotForm {
  /** What the times are of, and one of them in words, for the legend: it has one row. */
  readonly timesLabel: string
  timeText(time: string): string
  readonly lines: readonly { readonly label: string; readonly colour: string }[]
  /** An amount in words. */
  text(amount: number): string
  /** The amount that the plot reaches up to at least. */
  readonly least: number
  /** Between two lines of the grid; default: round decimal numbers. */
  readonly steps?: number[]
  /** Every point is shown, not only the line through them. */
  readonly points?: true
}

export interface DrawnPlot {
  set(data: PlotData): void
  close(): void
}

const LEGEND_PX = 32
const DAY_SECONDS = 86_400

/** Amounts over time, in the colours of the theme, as wide as the element. */
export function drawPlot(box: HTMLElement, form: PlotForm, data: PlotData): DrawnPlot {
  let plot: uPlot | undefined
  let shown = data

  function draw(): void {
    plot?.destroy()
    const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--ui-text-muted'),
      grid: { stroke: colour('--ui-border'), width: 1 },
      ticks: { stroke: colour('--ui-border'), width: 1 },
      font: '11px ui-sans-serif, system-ui, sans-serif',
    }
    plot = new uPlot(
      {
        ...sizeOf(box),
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, space: 90, values: (_, ticks) => timesIn(ticks) },
          {
            ...{ ...axis, ...(form.steps ? { incrs: form.steps } : {}) },
            ...{ size: 64, values: (_, ticks) => ticks.map(each => form.text(each)) },
          },
        ],
        scales: { y: { range: (_, __, most) => [0, Math.max(form.least, (most ?? 0) * 1.1)] } },
        series: [
          {
            label: form.timesLabel,
            value: (_, at) => (at === null ? '' : form.timeText(new Date(at * 1000).toISOString())),
          },
          ...form.lines.map(line => ({
            label: line.label,
            stroke: colour(line.colour),
            width: 2,
            ...(form.points ? { points: { show: true, size: 5 } } : {}),
            value: (_: uPlot, amount: number | null) => (amount === null ? '' : form.text(amount)),
          })),
        ],
      },
      shown,
      box,
    )
    showLast()
  }

  /** The legend says something also while nothing is pointed at. */
  function showLast(): void {
    if (plot?.cursor.idx === null || plot?.cursor.idx === undefined) {
      plot?.setLegend({ idx: shown[0].length - 1 })
    }
  }

  draw()
  const sizes = new ResizeObserver(() => plot?.setSize(sizeOf(box)))
  sizes.observe(box)
  const theme = new MutationObserver(draw)
  theme.observe(document.documentElement, { attributeFilter: ['class'] })
  return {
    set(next) {
      shown = next
      plot?.setData(next)
      showLast()
    },
    close() {
      sizes.disconnect()
      theme.disconnect()
      plot?.destroy()
    },
  }
}

/** With the day where they are far from each other. */
function timesIn(ticks: readonly number[]): string[] {
  const isFar = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) > DAY_SECONDS
  const format = new Intl.DateTimeFormat('en', {
    ...(isFar ? { month: 'short', day: 'numeric' } : { second: '2-digit' }),
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  return ticks.map(each => format.format(each * 1000))
}

function sizeOf(box: HTMLElement): { width: number; height: number } {
  return { width: Math.max(200, box.clientWidth), height: Math.max(80, box.clientHeight - LEGEND_PX) }
}
