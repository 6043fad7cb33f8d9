import type { Audit } from '#manager/audit/audit.ts'
import type { Metrics } from '#manager/metrics/metrics.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { Streams } from './streams.ts'

/** What the routes work with. */
export interface ApiParts extends ManagerParts {
  readonly streams: Streams
  readonly audit: Audit
  readonly metrics: Metrics
}
