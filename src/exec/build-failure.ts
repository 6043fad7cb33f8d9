import type { FairleadError } from '#lib/errors.ts'
import { cut } from './cut.ts'
import {
  BASE_IMAGE_UNAVAILABLE,
  BUILD_FAILED,
  DISK_FULL,
  DOCKERFILE_INVALID,
  DOCKERFILE_MISSING,
} from './errors.ts'

interface BuildFailure {
  /** What the engine said, redacted. */
  readonly message: string
  readonly dockerfile: string
  readonly step: string
  /** The last lines of the step. */
  readonly lines: readonly string[]
}

const BASE_IMAGE_REASONS =
  /failed to load metadata|failed to resolve|pull access denied|failed to authorize|failed to do request|manifest unknown|no match for platform/i

/** Why a build failed, as an error of the catalogue with the last lines of its log. */
export function buildFailure(failure: BuildFailure): FairleadError {
  const reason = cut(withoutPrefixes(failure.message), 2_000)
  return kindOf(failure, reason).with({ facts: { step: failure.step, reason, log: failure.lines } })
}

function kindOf({ message, dockerfile, step }: BuildFailure, reason: string): FairleadError {
  if (/no space left on device|ENOSPC/.test(message)) {
    return DISK_FULL('while Docker built an image')
  }
  if (
    /dockerfile parse error|unknown instruction|the Dockerfile (?:\S+ )?cannot be empty|file with no instructions/i.test(
      message,
    )
  ) {
    return DOCKERFILE_INVALID(dockerfile, reason)
  }
  if (/failed to read dockerfile|Cannot locate specified Dockerfile/i.test(message)) {
    return DOCKERFILE_MISSING(dockerfile)
  }
  if (/^\[internal\] load metadata for /.test(step) || BASE_IMAGE_REASONS.test(message)) {
    return BASE_IMAGE_UNAVAILABLE(reason)
  }
  return BUILD_FAILED(step, reason)
}

/** BuildKit says through which of its layers an error came, which tells nobody anything. */
function withoutPrefixes(message: string): string {
  return message.replace(
    /^(?:failed to solve(?: with frontend \S+)?: |failed to build LLB: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/,
    '',
  )
}
