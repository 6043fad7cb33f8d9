import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { durationText, fullTime } from '#web/parts/clock.ts'
import type { DeploymentTime } from './deployment-times.ts'

export interface DrawnPlot {
  set(times: readonly DeploymentTime[]): void
  close(): void
}

const LEGEND_PX = 32
const DAY_SECONDS = 86_400

/** Durations over the time when they were asked for, in the colours of the theme, as wide as the element. */
export function drawTimes(box: HTMLElement, times: readonly DeploymentTime[]): DrawnPlot {
  let plot: uPlot | undefined
  let shown = times

  function draw(): void {
    plot?.destroy()
    const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--ui-text-muted'),
      grid: { stroke: colour('--ui-border'), width: 1 },
      ticks: { stroke: colour('--ui-border'), width: 1 },
      font: '11px ui-sans-serif, system-ui, sans-serif',
    }
    const line = (label: string, name: string): uPlot.Series => ({
      label,
      stroke: colour(name),
      width: 2,
      points: { show: true, size: 5 },
      value: (_, seconds) => (seconds === null ? '' : durationText(seconds * 1000)),
    })
    plot = new uPlot(
      {
        ...sizeOf(box),
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, space: 90, values: (_, ticks) => timesIn(ticks) },
          { ...axis, size: 64, values: (_, ticks) => ticks.map(each => durationText(each * 1000)) },
        ],
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        series: [
          {
            label: 'asked',
            value: (_, at) => (at === null ? '' : fullTime(new Date(at * 1000).toISOString())),
          },
          line('took', '--ui-primary'),
          line('waited before', '--ui-warning'),
        ],
      },
      dataOf(shown),
      box,
    )
    showLast()
  }

  /** The legend says something also while nothing is pointed at. */
  function showLast(): void {
    plot?.setLegend({ idx: shown.length - 1 })
  }

  draw()
  const sizes = new ResizeObserver(() => plot?.setSize(sizeOf(box)))
  sizes.observe(box)
  const theme = new MutationObserver(draw)
  theme.observe(document.documentElement, { attributeFilter: ['class'] })
  return {
    set(next) {
      shown = next
      plot?.setData(dataOf(next))
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

function dataOf(times: readonly DeploymentTime[]): uPlot.AlignedData {
  return [times.map(each => each.at), times.map(each => each.took), times.map(each => each.waited)]
}
