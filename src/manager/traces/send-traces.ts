import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { background } from '#lib/background.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { readTrace } from './read-trace.ts'
import type { TracesConfig } from './traces-config.ts'

export interface Sending {
  /** What is on its way arrives or is given up. */
  close(): Promise<void>
}

type Parts = Pick<ManagerParts, 'db' | 'events' | 'logger'>

const ENDS: readonly unknown[] = ['succeeded', 'failed', 'cancelled', 'superseded']
const TIMEOUT_MS = 10_000
/** More than that wait for nobody: a receiver that is away costs no memory. */
const MOST_AT_ONCE = 30

/**
 * Sends each deployment that has ended as a trace. It is made of the journal, so one that went over a restart is whole;
 * what cannot be delivered is told in the log and left: traces are no record.
 */
export function startSendingTraces(parts: Parts, config: TracesConfig | undefined): Sending | undefined {
  if (config === undefined) {
    return undefined
  }
  let exporter: Promise<OTLPTraceExporter> | undefined
  let isAway = false
  const sending = new Set<Promise<void>>()

  async function send(id: string): Promise<void> {
    const trace = await readTrace(parts.db, id)
    if (trace) {
      // The library is loaded for the first one.
      const { spansOf } = await import('./spans.ts')
      exporter ??= openExporter(config as TracesConfig)
      await exportAll(await exporter, spansOf(trace))
      isAway = false
    }
  }

  function tell(message: string): void {
    // Once, not for each deployment while it lasts.
    if (!isAway) {
      parts.logger.warn('traces.failed', { url: config?.url, message })
    }
    isAway = true
  }

  const listening = parts.events.subscribe(undefined, ({ kind, fields }) => {
    if (kind !== 'deployment' || !ENDS.includes(fields.state)) {
      return
    }
    if (sending.size >= MOST_AT_ONCE) {
      tell(`${MOST_AT_ONCE} are on their way already; later ones are left out`)
      return
    }
    const one = send(String(fields.id)).finally(() => sending.delete(one))
    sending.add(one)
    background(one, ({ message }) => tell(message))
  })
  return {
    async close() {
      listening.close()
      await Promise.allSettled(sending)
      await (await exporter)?.shutdown()
    },
  }
}

async function openExporter({ url, token }: TracesConfig): Promise<OTLPTraceExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const headers = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }
  return new OTLPTraceExporter({ url, headers, timeoutMillis: TIMEOUT_MS, concurrencyLimit: MOST_AT_ONCE })
}

function exportAll(exporter: OTLPTraceExporter, spans: Parameters<OTLPTraceExporter['export']>[0]) {
  return new Promise<void>((resolve, reject) => {
    exporter.export(spans, ({ error, code }) => {
      // 0 is success; anything else comes with its reason.
      if (code === 0) {
        resolve()
      } else {
        reject(error ?? new Error('the receiver did not take it'))
      }
    })
  })
}
