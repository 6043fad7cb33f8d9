import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { RegistryAccess } from '#programs/registry.ts'
import { beginUpload, cancelUpload, continueUpload, type UploadAnswer } from '#programs/registry-upload.ts'
import type { Hands } from './command.ts'
import { type RegistryData, registryAccess } from './image-data.ts'
import {
  REGISTRY_CREDENTIAL_REFUSED,
  REGISTRY_DENIED,
  REGISTRY_DISK_FULL,
  REGISTRY_FAILED,
  REGISTRY_UNREACHABLE,
} from './image-errors.ts'

/** More than what a full disk still takes from the reserve of a file system's last block. */
const SAMPLE_BYTES = 256 * 1024
/** ENOSPC and EDQUOT, as the reference implementation of a registry reports its disk. */
const DISK_FULL = /no space left|disk quota|"Err":\s*(?:28|122)\b/i

/**
 * Why a push gets stuck: the engine only says that it retries, so a small upload is tried directly. Undefined when the
 * registry took it.
 */
export async function explainStuckPush(
  hands: Hands,
  data: RegistryData,
  repository: string,
): Promise<FairleadError | undefined> {
  const registry = registryAccess(data)
  try {
    const begun = await hands.perform(beginUpload(registry, repository))
    return faultOf(begun, data, repository) ?? (await tryBytes(hands, { registry, data, repository, begun }))
  } catch (error) {
    hands.signal.throwIfAborted()
    return REGISTRY_UNREACHABLE(data.address, asFairleadError(error).message)
  }
}

interface Attempt {
  readonly registry: RegistryAccess
  readonly data: RegistryData
  readonly repository: string
  readonly begun: UploadAnswer
}

async function tryBytes(hands: Hands, attempt: Attempt): Promise<FairleadError | undefined> {
  const { registry, data, repository, begun } = attempt
  if (!begun.location) {
    return undefined
  }
  const sent = await hands.perform(continueUpload(registry, begun.location, 'x'.repeat(SAMPLE_BYTES)))
  await hands.perform(cancelUpload(registry, sent.location ?? begun.location))
  return faultOf(sent, data, repository)
}

function faultOf(
  { status, text }: UploadAnswer,
  data: RegistryData,
  repository: string,
): FairleadError | undefined {
  if (status < 400) {
    return undefined
  }
  if (status === 401) {
    return REGISTRY_CREDENTIAL_REFUSED(data.address)
  }
  if (status === 403) {
    return REGISTRY_DENIED(data.address, repository)
  }
  return DISK_FULL.test(text) || status === 507
    ? REGISTRY_DISK_FULL(data.address)
    : REGISTRY_FAILED(data.address, `status ${status} ${text.slice(0, 300)}`.trim())
}
