/** One event of a push or pull, as far as it means something. */
export type TransferEvent =
  /** Worth a line in the log. */
  | { readonly kind: 'line'; readonly text: string }
  /** The manifest is in the registry under this digest. */
  | { readonly kind: 'digest'; readonly digest: string }
  /** The engine could not send a layer and waits to try again; it would go on for minutes. */
  | { readonly kind: 'retrying'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** How far one layer is: many per second. */
  | { readonly kind: 'progress'; readonly layer: string; readonly bytes: number; readonly total: number }
  | { readonly kind: 'quiet' }

interface RawEvent {
  status?: string
  id?: string
  progressDetail?: { current?: number; total?: number }
  error?: string
  errorDetail?: { message?: string }
  aux?: { Digest?: string }
}

const STEADY = new Set([
  'Preparing',
  'Waiting',
  'Pushing',
  'Downloading',
  'Extracting',
  'Verifying Checksum',
  'Pulling fs layer',
])

/** Reads one line of the engine's answer to a push or pull. */
export function readTransferEvent(value: unknown): TransferEvent {
  const raw = (value ?? {}) as RawEvent
  if (raw.error !== undefined || raw.errorDetail) {
    return { kind: 'failed', reason: raw.errorDetail?.message ?? raw.error ?? 'unknown' }
  }
  if (raw.aux?.Digest) {
    return { kind: 'digest', digest: raw.aux.Digest }
  }
  const { current = 0, total = 0 } = raw.progressDetail ?? {}
  if (raw.id && total > 0 && (raw.status === 'Pushing' || raw.status === 'Downloading')) {
    return { kind: 'progress', layer: raw.id, bytes: current, total }
  }
  if (!raw.status || STEADY.has(raw.status)) {
    return { kind: 'quiet' }
  }
  if (raw.status.startsWith('Retrying in')) {
    return { kind: 'retrying', text: raw.status }
  }
  return { kind: 'line', text: raw.id ? `${raw.id}: ${raw.status}` : raw.status }
}

/** What a failed transfer was about, read from the engine's words (they carry no codes). */
export type TransferFault =
  | 'unreachable'
  | 'credential'
  | 'certificate'
  | 'denied'
  | 'missing'
  | 'disk-full'
  | 'other'

const FAULTS: readonly (readonly [TransferFault, RegExp])[] = [
  ['disk-full', /no space left on device|disk quota exceeded/i],
  ['certificate', /x509:|certificate signed by unknown authority|tls: failed to verify/i],
  ['missing', /manifest unknown|not found: manifest|name unknown/i],
  ['denied', /denied: requested access|insufficient_scope|403 Forbidden/i],
  ['credential', /unauthorized|no basic auth credentials|authentication required|401/i],
  [
    'unreachable',
    /connection refused|no such host|i\/o timeout|network is unreachable|no route to host|connection reset|TLS handshake timeout|deadline exceeded|EOF$|server misbehaving|Client\.Timeout|request canceled|HTTP request to an HTTPS server|HTTP response to HTTPS client/i,
  ],
]

export function transferFault(reason: string): TransferFault {
  return FAULTS.find(([, pattern]) => pattern.test(reason))?.[0] ?? 'other'
}
