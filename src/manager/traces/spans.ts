import { createHash } from 'node:crypto'
import {
  type Attributes,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Trace, TracePart } from './read-trace.ts'

/**
 * A deployment as spans: itself, the time it waited, its steps, and in these the commands that hosts did. The id of the
 * trace is that of the deployment without its dashes; told twice it is the same trace with the same spans.
 */
export function spansOf(trace: Trace): ReadableSpan[] {
  const { app, host, kind, outcome, commit, trigger, startedAt } = trace
  const root = contextOf(trace, 'deployment')
  const details = {
    ...{ 'fairlead.deployment': trace.deployment, 'fairlead.app': app, 'fairlead.host': host },
    ...{ 'fairlead.state': trace.state, 'fairlead.trigger': trigger },
    ...(outcome === null ? {} : { 'fairlead.outcome': outcome }),
    ...(commit === null ? {} : { 'vcs.ref.head.revision': commit }),
  }
  const whole = { ...trace, name: `${kind} ${app}` }
  const waited = { name: 'queue', state: 'done', error: null, from: trace.from, to: startedAt ?? trace.to }
  return [
    spanOf(root, undefined, whole, details),
    spanOf(contextOf(trace, 'queue'), root, waited, {}),
    ...trace.steps.map(step =>
      spanOf(contextOf(trace, `step ${step.name}`), root, step, { 'fairlead.state': step.state }),
    ),
    ...trace.commands.map(({ step, ...command }) =>
      spanOf(contextOf(trace, `command ${command.id}`), contextOf(trace, `step ${step}`), command, {
        ...{ 'fairlead.command': command.id, 'fairlead.host': command.host, 'fairlead.state': command.state },
      }),
    ),
  ]
}

const RESOURCE = resourceFromAttributes({ 'service.name': 'fairlead' })

function contextOf({ deployment }: Trace, what: string): SpanContext {
  const spanId = createHash('sha256').update(`${deployment} ${what}`).digest('hex').slice(0, 16)
  return { traceId: deployment.replaceAll('-', ''), spanId, traceFlags: TraceFlags.SAMPLED }
}

function spanOf(
  context: SpanContext,
  parent: SpanContext | undefined,
  { name, state, error, from, to }: TracePart,
  details: Attributes,
): ReadableSpan {
  const hasFailed = state === 'failed'
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => context,
    ...(parent ? { parentSpanContext: parent } : {}),
    startTime: timeOf(from),
    endTime: timeOf(to),
    duration: timeOf(to - from),
    ended: true,
    status: {
      code: hasFailed ? SpanStatusCode.ERROR : SpanStatusCode.OK,
      ...(error ? { message: error } : {}),
    },
    attributes: { ...details, ...(error ? { 'error.type': error } : {}) },
    links: [],
    events: [],
    resource: RESOURCE,
    instrumentationScope: { name: 'fairlead' },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  }
}

/** Seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000]
}
