import type { FairleadError } from '#lib/errors.ts'
import { transferFault } from '#programs/image-transfer.ts'
import {
  ENGINE_DISK_FULL,
  REGISTRY_CERTIFICATE_REFUSED,
  REGISTRY_CREDENTIAL_REFUSED,
  REGISTRY_DENIED,
  REGISTRY_FAILED,
  REGISTRY_UNREACHABLE,
} from './image-errors.ts'

export interface FailedTransfer {
  readonly address: string
  readonly repository: string
  readonly doing: 'pull' | 'push'
}

/** The error for what the engine said when a push or pull failed. */
export function transferFailure(transfer: FailedTransfer, reason: string): FairleadError {
  const { address, repository, doing } = transfer
  const short = reason.trim().slice(0, 1_000)
  const byFault = {
    unreachable: () => REGISTRY_UNREACHABLE(address, short),
    credential: () => REGISTRY_CREDENTIAL_REFUSED(address),
    denied: () => REGISTRY_DENIED(address, repository),
    certificate: () => REGISTRY_CERTIFICATE_REFUSED(address, short),
    // Pulled layers fill this host; the registry's own full disk comes as a retry (image-push-fault.ts).
    'disk-full': () =>
      doing === 'pull' ? ENGINE_DISK_FULL('fetching an image') : REGISTRY_FAILED(address, short),
    missing: () => REGISTRY_FAILED(address, short),
    other: () => REGISTRY_FAILED(address, short),
  }
  return byFault[transferFault(reason)]().with({ facts: { reason: short } })
}
